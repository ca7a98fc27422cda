import { Worker } from 'node:worker_threads';
import { ParlanceError } from '../contract/index.ts';
import type { Store, StoreReply, WorkerData } from './protocol.ts';

export interface OpenStoreOptions {
  /** Holds `parlance.db`; made if it is not there. */
  readonly folder: string;
  /** The worker's entry where it was bundled; the source file otherwise. */
  readonly workerUrl?: URL;
  /** How long to wait for another program's write before `database-locked`, milliseconds. */
  readonly busyTimeoutMs?: number;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const sourceUrl = new URL('./worker.ts', import.meta.url);

function stopped(cause?: unknown): ParlanceError {
  return new ParlanceError(
    'internal',
    'The database is closed.',
    'Start Parlance again. If it happens twice, run `parlance doctor`.',
    { cause },
  );
}

/**
 * Opens the store in a thread of its own. Rejects with ParlanceError database-locked, -readonly, -corrupt, -newer or
 * disk-full. The thread keeps the program alive only while a call is under way.
 */
export async function openStore({ folder, workerUrl, busyTimeoutMs }: OpenStoreOptions): Promise<Store> {
  const workerData: WorkerData = { folder, busyTimeoutMs: busyTimeoutMs ?? 5000 };
  const worker = new Worker(workerUrl ?? sourceUrl, { workerData, name: 'store' });
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let ended: ParlanceError | null = null;

  function end(cause?: unknown): ParlanceError {
    ended ??= stopped(cause);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    return ended;
  }

  function settle(reply: StoreReply): void {
    if (reply.type !== 'value' && reply.type !== 'failure') return;
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) worker.unref();
    if (reply.type === 'value') call?.resolve(reply.value);
    else call?.reject(ParlanceError.from(reply.failure));
  }

  function call(method: keyof Store, parameters: unknown[]): Promise<unknown> {
    if (ended !== null) return Promise.reject(ended);
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, method, parameters });
    });
  }

  const methods = await new Promise<Array<keyof Store>>((resolve, reject) => {
    worker.on('message', (reply: StoreReply) => {
      if (reply.type === 'opened') resolve(reply.methods);
      else if (reply.type === 'refused') reject(ParlanceError.from(reply.failure));
      else settle(reply);
    });
    worker.on('error', (error) => reject(end(error)));
    worker.on('exit', () => reject(end()));
  });
  worker.unref();
  const entries = methods.map((method) => [method, (...parameters: unknown[]) => call(method, parameters)]);
  const store = Object.fromEntries(entries) as Store;
  let closed: Promise<void> | null = null;
  const close = () => {
    closed ??= store.close();
    return closed;
  };
  return { ...store, close };
}
