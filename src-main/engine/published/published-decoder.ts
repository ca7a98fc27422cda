import { rowWidth } from '../../../native-models/published/decoder-layout.ts';
import type { PublishedBundle } from '../../../native-models/published/open-published.ts';
import { PublishedDecoder as DecoderGraph } from '../../../native-models/published/published-decoder.ts';
import type { Provider } from '../../contract/conversation.ts';
import type { AnsweringDecoder } from '../answering-model.ts';
import type { KeyValueCache } from '../caches/key-value-cache.ts';
import type { CacheForm, Snapshot } from '../caches/kv-snapshot.ts';
import { asParlanceError } from '../failures.ts';
import { positionsOf } from '../prompt/sequence.ts';
import { PublishedCache } from './published-cache.ts';
import { openPublishedSession } from './published-session.ts';

/** A published LLM's layers behind the engine's own interface. */
export class PublishedDecoder implements AnsweringDecoder {
  /** Its attention is made of whatever its exporter chose; nothing is known to be wrong with it. */
  readonly attention = null;
  readonly graph: DecoderGraph;
  readonly #close: () => Promise<void>;

  private constructor(graph: DecoderGraph, close: () => Promise<void>) {
    this.graph = graph;
    this.#close = close;
  }

  static async open(bundle: PublishedBundle, provider: Provider, threads: number): Promise<PublishedDecoder> {
    const session = await openPublishedSession('the language model', bundle.folder, bundle.decoder, {
      provider,
      threads,
      spin: true,
    });
    return new PublishedDecoder(new DecoderGraph(session), () => session.close());
  }

  /** Snapshots hold float32, which half precision becomes without loss. */
  form(bundle: string, loraScale: number): CacheForm {
    const { pasts } = this.graph.layout;
    const values = pasts.reduce((sum, { heads, headSize }) => sum + heads * headSize, 0);
    // Heads may differ from layer to layer: what counts for a snapshot is how many values a position takes.
    return { bundle, loraScale, type: 'float32', layers: 1, kvHeads: 1, headSize: values / 2 };
  }

  newCache(): KeyValueCache {
    return new PublishedCache(this.graph.layout);
  }

  restore({ rows, units }: Snapshot): KeyValueCache {
    const cache = new PublishedCache(this.graph.layout);
    if (rows instanceof Float32Array) cache.past.restore(rows, positionsOf(units));
    return cache;
  }

  async run(cache: KeyValueCache, embeddings: Float32Array): Promise<Float32Array> {
    if (!(cache instanceof PublishedCache))
      throw new TypeError('a published decoder needs a cache of its own');
    try {
      const { logits } = await this.graph.run(embeddings, cache.past, 1);
      return logits;
    } catch (error) {
      throw asParlanceError(error);
    }
  }

  /** Values of a position as this decoder reads it. */
  get width(): number {
    return rowWidth(this.graph.layout);
  }

  close(): Promise<void> {
    return this.#close();
  }
}
