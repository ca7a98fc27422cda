import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ParlanceError } from '../../contract/index.ts';
import { engineSampleRate } from '../resample.ts';
import { frameSamples } from './frame.ts';

/** Of `resources/voice-activity/silero-vad-6.onnx`; its README says where the file is from. */
const modelSha256 = '7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49';

/** Samples of the frame before that the model sees again. */
const contextSamples = 64;
const stateShape = [2, 1, 128];
const stateLength = 256;

const installAgain = 'Install Parlance again.';

async function verifiedBytes(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const message = `The model that notices speech cannot be read: ${(cause as Error).message}.`;
    throw new ParlanceError('file-missing', message, installAgain, { cause });
  }
  if (createHash('sha256').update(bytes).digest('hex') !== modelSha256) {
    const message = 'The model that notices speech is not the file that Parlance came with.';
    throw new ParlanceError('bundle-corrupt', message, installAgain);
  }
  return bytes;
}

/** Silero VAD 6 (Silero Team 2025, https://github.com/snakers4/silero-vad): one graph for any number of streams. */
export class Silero {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Rejects with file-missing, or bundle-corrupt for a file of another SHA-256. */
  static async open(file: string): Promise<Silero> {
    const session = await InferenceSession.create(await verifiedBytes(file), {
      executionProviders: ['cpu'],
      // 0.1 ms of work a frame: a second thread would cost more than it brings.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      enableCpuMemArena: false,
      logSeverityLevel: 3,
    });
    return new Silero(session);
  }

  stream(): SileroStream {
    return new SileroStream(this.#session);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** The model's memory of one stream of sound. */
export class SileroStream {
  readonly #session: InferenceSession;
  readonly #sampleRate = new Tensor('int64', BigInt64Array.of(BigInt(engineSampleRate)), []);
  #state: Tensor = new Tensor('float32', new Float32Array(stateLength), stateShape);
  #context = new Float32Array(contextSamples);

  constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** The next 512 samples, f32 in -1..1 at 16 kHz → the probability that somebody speaks in them. One at a time. */
  async probability(frame: Float32Array): Promise<number> {
    const input = new Float32Array(contextSamples + frameSamples);
    input.set(this.#context);
    input.set(frame, contextSamples);
    const outputs = await this.#session.run({
      input: new Tensor('float32', input, [1, input.length]),
      state: this.#state,
      sr: this.#sampleRate,
    });
    this.#context = input.slice(-contextSamples);
    const { output, stateN } = outputs;
    const probability = output?.data[0];
    if (typeof probability !== 'number' || stateN === undefined)
      throw new Error('The graph of Silero VAD gave no probability.');
    this.#state = stateN;
    return probability;
  }
}
