import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import type { GraphFiles } from './graph-files.ts';
import { graphPorts, type RunnableGraph } from './runnable-graph.ts';

/** Loads a graph on the CPU, as often as it is asked to. Throws `bundle-invalid` with what the runtime says. */
export async function openGraph(
  folder: string,
  { path }: GraphFiles,
): Promise<RunnableGraph & { close(): Promise<void> }> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(join(folder, path), {
      executionProviders: ['cpu'],
      // Notices about a graph's form are no failures; errors are thrown as well as printed.
      logSeverityLevel: 3,
    });
  } catch (cause) {
    const [reason = ''] = String(cause instanceof Error ? cause.message : cause).split('\n', 1);
    throw new ModelError(
      'bundle-invalid',
      `${path} in ${folder} cannot be loaded: ${reason.slice(0, 300)}`,
      'Fetch the file and its data again, or choose another kind of weights.',
      { cause },
    );
  }
  return {
    inputs: graphPorts(session.inputMetadata),
    outputs: graphPorts(session.outputMetadata),
    run: (feeds, outputs) => session.run(feeds, [...outputs]),
    close: () => session.release(),
  };
}
