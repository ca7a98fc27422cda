import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import type { Graph } from '../../../native-models/graph/graph.ts';

/** Writes a graph made for the moment to a temporary folder, which lasts as long as `open` takes to open it. */
export async function withMadeGraph<T>(graph: Graph, open: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-graph-'));
  try {
    const path = join(folder, 'graph.onnx');
    await withDataFile(`${path}.data`, (data) => writeModel(graph.finish(), path, data));
    return await open(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
