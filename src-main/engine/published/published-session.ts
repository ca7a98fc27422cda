import { join } from 'node:path';
import type { GraphFiles } from '../../../native-models/published/graph-files.ts';
import { graphPorts, type RunnableGraph } from '../../../native-models/published/runnable-graph.ts';
import type { SessionNeeds } from '../onnxruntime/providers.ts';
import { Session } from '../onnxruntime/session.ts';

/** A graph of a published bundle, loaded as the engine loads all graphs. `name` says in errors what it is. */
export async function openPublishedSession(
  name: string,
  folder: string,
  { path }: GraphFiles,
  needs: SessionNeeds,
): Promise<RunnableGraph & { close(): Promise<void> }> {
  const session = await Session.open(name, join(folder, path), needs);
  return {
    inputs: graphPorts(session.inputs),
    outputs: graphPorts(session.outputs),
    run: (feeds, outputs) => session.run(feeds, outputs),
    close: () => session.close(),
  };
}
