import type { Tensor } from 'onnxruntime-node';
import { OnnxModel, type OnnxPort } from '../formats/onnx-reader.ts';
import type { GraphPort } from './runnable-graph.ts';

/** What a graph takes and gives, read from the head of its file: no weight is read. Throws what the ONNX reader throws. */
export function graphHead(path: string): { inputs: GraphPort[]; outputs: GraphPort[] } {
  const model = new OnnxModel(path);
  try {
    const { inputs, outputs } = model.description;
    return { inputs: inputs.flatMap(asPort), outputs: outputs.flatMap(asPort) };
  } finally {
    model.close();
  }
}

function asPort({ name, type, shape }: OnnxPort): GraphPort[] {
  // The reader names types as the runtime does; what is no tensor is none of ours.
  return type === null
    ? []
    : [{ name, type: type as Tensor.Type, shape: (shape ?? []).map((size) => size ?? '') }];
}
