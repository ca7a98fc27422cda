import { join } from 'node:path';
import { withDataFile, writeModel } from '../formats/onnx-writer.ts';
import type { GraphDefinition } from '../graph/definition.ts';

/** Names of a part's graphs in the bundle, as the manifest has them. */
export interface PartGraphs {
  readonly graph: string;
  readonly deviceGraph?: string;
}

/**
 * Writes a part's graph for the CPU, and the one for other providers where it is another; both share their weights' file.
 * `name` begins the files' names.
 */
export async function writePart(
  name: string,
  cpu: GraphDefinition,
  device: GraphDefinition | null,
  folder: string,
): Promise<PartGraphs> {
  const graph = `${name}.onnx`;
  const deviceGraph = `${name}.device.onnx`;
  await withDataFile(join(folder, `${name}.data`), async (data) => {
    await writeModel(cpu, join(folder, graph), data);
    if (device !== null) await writeModel(device, join(folder, deviceGraph), data);
  });
  return device === null ? { graph } : { graph, deviceGraph };
}
