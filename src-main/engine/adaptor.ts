import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import type { Encoded } from './encoder.ts';
import { engineFailed } from './failures.ts';
import { type Feeds, floats, type Outputs, Session } from './onnxruntime/session.ts';

type AdaptorPart = NonNullable<BundleManifest['adaptor']>;

/** What the adaptor makes of a clip: vectors [positions, hidden] in the LLM's space, and the LLM tokens its CTC head heard. */
export interface Adapted {
  readonly vectors: Float32Array;
  readonly tokens: readonly number[];
}

/** From the encoder's frames to the LLM's embeddings. */
export class Adaptor {
  readonly part: AdaptorPart;
  readonly #session: Session;

  private constructor(part: AdaptorPart, session: Session) {
    this.part = part;
    this.#session = session;
  }

  /**
   * It runs on the CPU, whatever the device: it is small beside encoder and LLM, its labels are read there, and what a second look
   * is made of depends on how many tokens were drafted, which other providers would ask the CPU for.
   */
  static async open(folder: string, part: AdaptorPart, threads: number): Promise<Adaptor> {
    const session = await Session.open('the adaptor', join(folder, part.graph), {
      provider: 'cpu',
      threads,
      spin: false,
    });
    return new Adaptor(part, session);
  }

  /** `second` is what the second encoder of a bundle with two heard in the same clip. Throws engine-failed. */
  async adapt(first: Encoded, second: Encoded | null = null): Promise<Adapted> {
    const feeds: Feeds = { encoder: frames(first) };
    if (second !== null) feeds.secondEncoder = frames(second);
    const { labels } = this.part;
    const outputs = await this.#session.run(feeds, labels ? ['adaptor', 'labels'] : ['adaptor']);
    const vectors = floats(outputs, 'adaptor', this.#session);
    return labels ? selectFrames(vectors, labelsOf(outputs), this.part) : { vectors, tokens: [] };
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

function frames({ data, frames: count }: Encoded): Tensor {
  return new Tensor('float32', data, [1, count, data.length / count]);
}

function labelsOf(outputs: Outputs): number[] {
  const labels = outputs.labels?.data;
  if (labels instanceof BigInt64Array) return Array.from(labels, Number);
  throw engineFailed('cpu', 'Reading labels', new Error('the adaptor gave no labels'));
}

/**
 * Chooses the frames that the LLM reads. `ctc-compress` keeps those where the head hears something new: neither blank (label 0)
 * nor what the frame before was (Gaido et al. 2021, CTC-based compression).
 */
export function selectFrames(
  vectors: Float32Array,
  labels: readonly number[],
  { hidden, selection, ctcTokens }: Pick<AdaptorPart, 'hidden' | 'selection' | 'ctcTokens'>,
): Adapted {
  const heard = labels.flatMap((label, frame) => (label !== 0 && label !== labels[frame - 1] ? [frame] : []));
  const tokens = heard.flatMap((frame) => ctcTokens[(labels[frame] ?? 0) - 1] ?? []);
  if (selection === 'all') return { vectors, tokens };
  const kept = new Float32Array(heard.length * hidden);
  heard.forEach((frame, i) => {
    kept.set(vectors.subarray(frame * hidden, (frame + 1) * hidden), i * hidden);
  });
  return { vectors: kept, tokens };
}
