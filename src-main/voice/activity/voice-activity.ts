import { Worker } from 'node:worker_threads';
import { type Failure, ParlanceError, toFailure } from '../../contract/index.ts';
import { type ActivityFrame, frameMs, frameSamples } from './frame.ts';
import type { ActivityCall, ActivityReply, ActivityWorkerData } from './worker-messages.ts';

/** Sound that may wait for the model, milliseconds. Who is so far behind would notice an end of turn too late to be of use. */
const longestQueueMs = 10_000;
const longestQueue = Math.floor(longestQueueMs / frameMs);

export interface VoiceActivityOptions {
  /** The model's file: `resources/voice-activity/silero-vad-6.onnx`. */
  readonly model: string;
  /** The worker's entry where it was bundled; the source file otherwise. */
  readonly workerUrl?: URL;
}

export interface ActivityStreamOptions {
  /** Whole frames in order, soon after their sound was pushed. */
  onFrames(frames: readonly ActivityFrame[]): void;
  /** Called once when the stream can hear no more; open another. */
  onFailure(failure: Failure): void;
}

/** One stream of sound on its way through the model. */
export interface ActivityStream {
  /** f32 in -1..1 at 16 kHz, any number of samples. Samples of a stream that failed or is closed are let go. */
  push(samples: Float32Array): void;
  /** Resolves when every whole frame pushed so far was given to `onFrames`, or the stream failed. */
  settled(): Promise<void>;
  close(): void;
}

interface OpenStream {
  readonly options: ActivityStreamOptions;
  /** Frames sent and not heard yet. */
  waiting: number;
  settled: Array<() => void>;
}

const sourceUrl = new URL('./worker.ts', import.meta.url);

function stopped(cause: unknown): ParlanceError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new ParlanceError(
    'engine-stopped',
    `The part that notices speech stopped${reason}.`,
    'Start listening again; what was recorded is kept.',
    { cause },
  );
}

function framesOf(numbers: Float32Array): ActivityFrame[] {
  return Array.from({ length: numbers.length / 3 }, (_, place) => {
    const [probability = 0, loudnessDb = 0, tonality = 0] = numbers.subarray(place * 3, place * 3 + 3);
    return { probability, loudnessDb, tonality };
  });
}

/**
 * The model that notices speech, in a thread of its own, for any number of streams. The thread starts with the first stream; if
 * it dies, its streams are told, and the next stream starts another.
 */
export class VoiceActivity {
  readonly #options: VoiceActivityOptions;
  readonly #streams = new Map<number, OpenStream>();
  #worker: Worker | null = null;
  #nextStream = 1;
  #isClosed = false;

  constructor(options: VoiceActivityOptions) {
    this.#options = options;
  }

  /** Throws internal after `close`. A model that cannot be loaded is told through `onFailure`. */
  open(options: ActivityStreamOptions): ActivityStream {
    if (this.#isClosed) throw new Error('Voice activity is closed.');
    const id = this.#nextStream++;
    const stream: OpenStream = { options, waiting: 0, settled: [] };
    this.#streams.set(id, stream);
    this.#send({ type: 'open', stream: id });
    let rest = new Float32Array(0);
    return {
      push: (samples) => {
        if (!this.#streams.has(id)) return;
        const sound = new Float32Array(rest.length + samples.length);
        sound.set(rest);
        sound.set(samples, rest.length);
        const frames = Math.floor(sound.length / frameSamples);
        rest = sound.slice(frames * frameSamples);
        if (frames > 0) this.#hear(id, stream, sound.slice(0, frames * frameSamples));
      },
      settled: () =>
        new Promise((resolve) => {
          if (stream.waiting === 0 || !this.#streams.has(id)) resolve();
          else stream.settled.push(resolve);
        }),
      close: () => {
        if (!this.#streams.delete(id)) return;
        settle(stream);
        this.#send({ type: 'close', stream: id });
        this.#rest();
      },
    };
  }

  /** Ends the thread when what it was sent is done. Streams that are open hear no more and are not told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    for (const stream of this.#streams.values()) settle(stream);
    this.#streams.clear();
    if (worker === null) return;
    this.#worker = null;
    worker.ref();
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ type: 'end' } satisfies ActivityCall);
    await ended;
  }

  #hear(id: number, stream: OpenStream, samples: Float32Array<ArrayBuffer>): void {
    const frames = samples.length / frameSamples;
    if (stream.waiting + frames > longestQueue) {
      this.#fail(id, stream, {
        code: 'engine-busy',
        message: `The part that notices speech is ${longestQueueMs / 1000} seconds behind.`,
        hint: 'Close other programs and start listening again; what was recorded is kept.',
      });
      return;
    }
    stream.waiting += frames;
    this.#worker?.ref();
    this.#send({ type: 'hear', stream: id, samples }, [samples.buffer]);
  }

  #send(call: ActivityCall, moved: ArrayBuffer[] = []): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(call, moved);
  }

  #start(): Worker {
    const workerData: ActivityWorkerData = { model: this.#options.model };
    const worker = new Worker(this.#options.workerUrl ?? sourceUrl, { workerData, name: 'voice-activity' });
    let failure: unknown;
    worker.on('message', (reply: ActivityReply) => {
      if (reply.type === 'heard') this.#heard(reply.stream, reply.frames);
      else if (reply.type === 'refused') failure = ParlanceError.from(reply.failure);
    });
    worker.on('error', (error) => {
      failure = error;
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      const told = toFailure(failure instanceof ParlanceError ? failure : stopped(failure));
      for (const [id, stream] of this.#streams) this.#fail(id, stream, told);
    });
    worker.unref();
    return worker;
  }

  #heard(id: number, numbers: Float32Array): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const frames = framesOf(numbers);
    stream.waiting -= frames.length;
    stream.options.onFrames(frames);
    if (stream.waiting === 0) settle(stream);
    this.#rest();
  }

  #fail(id: number, stream: OpenStream, failure: Failure): void {
    this.#streams.delete(id);
    if (this.#worker !== null) this.#send({ type: 'close', stream: id });
    settle(stream);
    this.#rest();
    stream.options.onFailure(failure);
  }

  /** An idle thread does not keep the program alive. */
  #rest(): void {
    if ([...this.#streams.values()].every(({ waiting }) => waiting === 0)) this.#worker?.unref();
  }
}

function settle(stream: OpenStream): void {
  for (const resolve of stream.settled.splice(0)) resolve();
}
