import PQueue from 'p-queue';
import { ParlanceError } from '../../contract/index.ts';

const cancelledBeforeItBegan = (): ParlanceError =>
  new ParlanceError('cancelled', 'The request was cancelled before it began.', 'Ask again when you like.');

/** One request at a time, in the order they came. */
export class RequestQueue {
  readonly #queue = new PQueue({ concurrency: 1 });

  /**
   * Runs the task when those before it have ended.
   * An abort while it waits takes it out of the queue (`cancelled`, or the reason that `closing` gives); once it
   * runs, an abort is the task's own business, for the queue must not go on before the engine is free.
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal, closing: AbortSignal): Promise<T> {
    if (signal.aborted) throw cancelledBeforeItBegan();
    if (closing.aborted) throw closing.reason;
    const waiting = new AbortController();
    const leave = (): void => waiting.abort(signal.aborted ? cancelledBeforeItBegan() : closing.reason);
    const stayed = (): void => {
      signal.removeEventListener('abort', leave);
      closing.removeEventListener('abort', leave);
    };
    signal.addEventListener('abort', leave);
    closing.addEventListener('abort', leave);
    try {
      return await this.#queue.add(
        () => {
          stayed();
          return task();
        },
        { signal: waiting.signal },
      );
    } finally {
      stayed();
    }
  }

  idle(): Promise<void> {
    return this.#queue.onIdle();
  }
}

/** What a promise gives, or a rejection as soon as the request is cancelled or everything is closed. */
export async function unlessStopped<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  closing: AbortSignal,
): Promise<T> {
  const stop = AbortSignal.any([signal, closing]);
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(signal.aborted ? cancelledBeforeItBegan() : closing.reason);
  if (stop.aborted) end();
  stop.addEventListener('abort', end);
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    stop.removeEventListener('abort', end);
  }
}
