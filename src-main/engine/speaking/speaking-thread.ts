import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Failure, ParlanceError, toFailure } from '../../contract/errors.ts';
import type { SoundPiece, SpeakRequest, Spoken } from '../../contract/speech.ts';
import { physicalCores } from '../onnxruntime/providers.ts';
import { cancelled } from './speaker.ts';

/** To the thread. `stopped[0]` becomes 1 when the request is cancelled, which is seen without a message. */
export type SpeakingOrder =
  | { type: 'speak'; id: number; request: SpeakRequest; stopped: Int32Array }
  | { type: 'close' };

/** From the thread; `spoken` and `failed` end a request. */
export type SpeakingReply =
  | { type: 'sound'; id: number; piece: SoundPiece }
  | { type: 'spoken'; id: number; spoken: Spoken }
  | { type: 'failed'; id: number; failure: Failure };

interface Waiting {
  sound(piece: SoundPiece): void;
  resolve(spoken: Spoken): void;
  reject(error: unknown): void;
}

/**
 * Speech synthesis in a thread of its own beside the engine's. The thread begins at the first request; until then it costs nothing.
 * Its runs cannot be cut short, so a cancelled request ends at once and what the thread still makes of it is thrown away.
 */
export class SpeakingThread {
  readonly #entry: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #lastId = 0;

  /** @param entry where `worker.ts` lies, as it is or built */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** As SpeechPort.speak. */
  async speak(
    request: SpeakRequest,
    sound: (piece: SoundPiece) => void,
    signal: AbortSignal,
  ): Promise<Spoken> {
    if (signal.aborted) throw cancelled();
    this.#lastId += 1;
    const id = this.#lastId;
    const stopped = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const { promise, resolve, reject } = Promise.withResolvers<Spoken>();
    const stop = (): void => {
      Atomics.store(stopped, 0, 1);
      reject(cancelled());
    };
    this.#waiting.set(id, { sound, resolve, reject });
    signal.addEventListener('abort', stop);
    try {
      this.#begun().postMessage({ type: 'speak', id, request, stopped } satisfies SpeakingOrder);
      return await promise;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker?.unref();
    }
  }

  /** Ends the thread when the run it is in has ended. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    worker.ref();
    const ended = once(worker, 'exit');
    worker.postMessage({ type: 'close' } satisfies SpeakingOrder);
    await ended;
  }

  #begun(): Worker {
    if (this.#worker === null) {
      const worker = new Worker(this.#entry, { workerData: { threads: physicalCores() }, name: 'speaking' });
      this.#worker = worker;
      worker.on('message', (reply: SpeakingReply) => this.#settle(reply));
      worker.on('error', (error) => this.#ended(worker, error));
      worker.on('exit', (code) => this.#ended(worker, new Error(`the thread ended with code ${code}`)));
    }
    this.#worker.ref();
    return this.#worker;
  }

  #settle(reply: SpeakingReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (reply.type === 'sound') waiting?.sound(reply.piece);
    else if (reply.type === 'spoken') waiting?.resolve(reply.spoken);
    else waiting?.reject(ParlanceError.from(reply.failure));
  }

  /** The next request begins another thread. */
  #ended(worker: Worker, error: unknown): void {
    if (this.#worker === worker) this.#worker = null;
    const { message } = toFailure(error);
    const failure = new ParlanceError('engine-failed', `Speaking failed: ${message}.`, 'Try again.', {
      cause: error,
    });
    for (const { reject } of this.#waiting.values()) reject(failure);
  }
}
