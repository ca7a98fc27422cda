import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../contract/index.ts';
import { createLocalStore } from './local-store.ts';
import { migrations } from './migrations/index.ts';
import type { Store, StoreCall, StoreReply, WorkerData } from './protocol.ts';

/**
 * Entry of the store's thread: a flush to disk takes milliseconds, and the thread that feeds the window must not wait
 * for it. Calls come from `open-store.ts` alone, with the types of the ports.
 */
function serve(): void {
  const port = parentPort;
  if (port === null) throw new Error('The store runs in a worker thread.');
  const reply = (message: StoreReply) => port.postMessage(message);
  let store: Store;
  try {
    store = createLocalStore({ ...(workerData as WorkerData), migrations });
  } catch (error) {
    reply({ type: 'refused', failure: toFailure(error) });
    port.close();
    return;
  }
  port.on('message', async ({ id, method, parameters }: StoreCall) => {
    try {
      const run = store[method] as (...given: typeof parameters) => Promise<unknown>;
      reply({ type: 'value', id, value: await run(...parameters) });
    } catch (error) {
      reply({ type: 'failure', id, failure: toFailure(error) });
    }
    if (method === 'close') port.close();
  });
  reply({ type: 'opened', methods: Object.keys(store) as Array<keyof Store> });
}

serve();
