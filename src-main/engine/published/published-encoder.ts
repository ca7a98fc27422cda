import type { PublishedBundle } from '../../../native-models/published/open-published.ts';
import { PublishedEncoder as EncoderGraph } from '../../../native-models/published/published-encoder.ts';
import type { Provider } from '../../contract/conversation.ts';
import { asParlanceError } from '../failures.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { openPublishedSession } from './published-session.ts';

/** A published bundle's hearing: from samples to vectors in the LLM's space. */
export class PublishedEncoder {
  readonly #bundle: PublishedBundle;
  readonly #graph: EncoderGraph;
  readonly #close: () => Promise<void>;

  private constructor(bundle: PublishedBundle, graph: EncoderGraph, close: () => Promise<void>) {
    this.#bundle = bundle;
    this.#graph = graph;
    this.#close = close;
  }

  static async open(bundle: PublishedBundle, provider: Provider, threads: number): Promise<PublishedEncoder> {
    const session = await openPublishedSession('the speech encoder', bundle.folder, bundle.audioEncoder, {
      provider,
      threads,
      spin: false,
    });
    return new PublishedEncoder(bundle, new EncoderGraph(session, bundle.hearing), () => session.close());
  }

  /** Vectors [n, hidden] of one window of 16 kHz samples. Throws engine-failed or bundle-invalid. */
  async encode(window: Float32Array, watch: Stopwatch): Promise<Float32Array> {
    try {
      const heard = await watch.time('featuresMs', () => this.#bundle.hearing.prepare(window));
      return await watch.time('encodeMs', () => this.#graph.encode(heard));
    } catch (error) {
      throw asParlanceError(error);
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}
