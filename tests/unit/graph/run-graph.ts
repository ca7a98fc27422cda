import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import type { Graph } from '../../../native-models/graph/graph.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

/** Single precision values and their shape. */
export function floats(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  return new Tensor('float32', Float32Array.from(values), shape);
}

/** Writes the graph to disk and runs it in ONNX Runtime. Without optimisation, what was written is what runs. */
export async function runGraph(
  g: Graph,
  feeds: Record<string, Tensor>,
  graphOptimizationLevel: 'disabled' | 'all' = 'disabled',
): Promise<Record<string, Tensor>> {
  const folder = temporaryFolder();
  const path = join(folder, 'graph.onnx');
  await withDataFile(join(folder, 'graph.data'), (data) => writeModel(g.finish(), path, data));
  const session = await InferenceSession.create(path, { graphOptimizationLevel });
  const outputs = await session.run(feeds);
  await session.release();
  return outputs;
}

export function valuesOf(tensor: Tensor | undefined): number[] {
  return Array.from(tensor?.data as Float32Array | BigInt64Array, Number);
}

/** Numbers in −1…1 that are the same on every run. */
export function someNumbers(count: number, seed = 1): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
