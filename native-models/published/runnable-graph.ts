import type { InferenceSession, Tensor } from 'onnxruntime-node';

/** A tensor that a graph takes or gives: sizes are numbers, or names where they vary. */
export interface GraphPort {
  readonly name: string;
  readonly type: Tensor.Type;
  readonly shape: ReadonlyArray<number | string>;
}

/** A loaded graph, whoever loaded it. */
export interface RunnableGraph {
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  run(feeds: Record<string, Tensor>, outputs: readonly string[]): Promise<Readonly<Record<string, Tensor>>>;
}

/** What a session says of its tensors. */
export function graphPorts(metadata: readonly InferenceSession.ValueMetadata[]): GraphPort[] {
  return metadata.flatMap((value) =>
    value.isTensor ? [{ name: value.name, type: value.type, shape: value.shape }] : [],
  );
}
