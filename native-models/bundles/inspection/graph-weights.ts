import { OnnxModel, type OnnxPort } from '../../formats/onnx-reader.ts';
import { onnxTypes } from '../../formats/onnx-types.ts';
import type { StoredType } from '../../formats/tensor-source.ts';
import { type GraphNode, graphNodes } from './graph-nodes.ts';

/** A weight that was learnt; scales, tables of positions and constants are none. */
export interface LearntWeight {
  readonly name: string;
  readonly parameters: number;
  /** `float32`, `float16`, `int8`, or `4-bit` and `8-bit` blocks. */
  readonly precision: string;
}

export interface GraphSummary {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly weights: readonly LearntWeight[];
  /** What every initializer takes in memory, by its name, learnt or not. */
  readonly bytes: ReadonlyMap<string, number>;
}

interface Packed {
  readonly parameters: number;
  readonly precision: string;
}

/** Where operators take weights in blocks or int8, and what belongs to those or is made of positions. */
const passedOver: Readonly<Record<string, readonly number[]>> = {
  'com.microsoft.MatMulNBits': [2, 3, 4],
  'com.microsoft.GatherBlockQuantized': [2, 3],
  'com.microsoft.DynamicQuantizeMatMul': [2, 3],
  'com.microsoft.GroupQueryAttention': [7, 8],
  'com.microsoft.RotaryEmbedding': [2, 3],
};

const floats: Partial<Record<StoredType, string>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

const halves: Partial<Record<StoredType, true>> = { F16: true, BF16: true };

/** Blocks' zero points beside their matrix, sums that they are multiplied with, and a LoRA, which is no part of the model. */
const beside = /\.offsets\b|\bblockSums\b|\.lora\./;

const elementBits = new Map([...onnxTypes.values()].map(({ stored, bits }) => [stored, bits]));

/** What a graph takes, gives and holds; no weight's data are read. Throws what the reader of the file throws. */
export function graphSummary(path: string): GraphSummary {
  const model = new OnnxModel(path);
  model.close();
  const { inputs, outputs } = model.description;
  const tensors = new Map(model.names().map((name) => [name, model.tensor(name)]));
  const nodes = graphNodes(path);
  const packed = packedWeights(nodes, tensors);
  const others = new Set(
    nodes.flatMap(({ operator, inputs }) => (passedOver[operator] ?? []).map((place) => inputs[place] ?? '')),
  );
  // Half-precision weights become single once, when the graph is loaded.
  const widened = new Set(
    nodes.filter(({ operator }) => operator === 'Cast').flatMap(({ inputs }) => inputs),
  );
  const weights: LearntWeight[] = [];
  const bytes = new Map<string, number>();
  for (const tensor of tensors.values()) {
    const { name, type } = tensor;
    const bits = type in halves && widened.has(name) ? 32 : (elementBits.get(type) ?? 0);
    bytes.set(name, Math.ceil((elementsOf(tensor) * bits) / 8));
    const precision = floats[type];
    const elements = elementsOf(tensor);
    const known = packed.get(name);
    if (known !== undefined) weights.push({ name, ...known });
    else if (precision !== undefined && elements > 1 && !others.has(name) && !beside.test(name))
      weights.push({ name, parameters: elements, precision });
  }
  return { inputs, outputs, weights, bytes };
}

/** Weights of which neither type nor shape tells how many numbers they are. */
function packedWeights(
  nodes: readonly GraphNode[],
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): Map<string, Packed> {
  const found = new Map<string, Packed>();
  for (const { operator, inputs, integers } of nodes) {
    const integer = (name: string) => integers.get(name) ?? 0;
    const precision = `${integer('bits') || 4}-bit`;
    const [first = '', second = '', third = ''] = inputs;
    if (operator === 'com.microsoft.MatMulNBits')
      found.set(second, { parameters: integer('K') * integer('N'), precision });
    else if (operator === 'com.microsoft.GatherBlockQuantized')
      found.set(first, {
        parameters: elementsOf(tensors.get(third)) * (integer('block_size') || 128),
        precision,
      });
    else if (operator === 'com.microsoft.DynamicQuantizeMatMul')
      found.set(second, { parameters: elementsOf(tensors.get(second)), precision: 'int8' });
  }
  return found;
}

function elementsOf(tensor: { readonly shape: readonly number[] } | undefined): number {
  return tensor === undefined ? 0 : tensor.shape.reduce((product, size) => product * size, 1);
}
