import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import type { Provider } from '../contract/conversation.ts';
import { DeviceCache, type TensorCutter } from './caches/device-cache.ts';
import { openCutter } from './caches/device-cutter.ts';
import { type KeyValueCache, presentNames } from './caches/key-value-cache.ts';
import type { CacheForm, Snapshot } from './caches/kv-snapshot.ts';
import { RowsCache } from './caches/rows-cache.ts';
import { engineFailed } from './failures.ts';
import { type AttentionCheck, checkAttention } from './onnxruntime/attention-check.ts';
import { type Feeds, floats, Session } from './onnxruntime/session.ts';
import { positionsOf } from './prompt/sequence.ts';

export type LanguageModelPart = NonNullable<BundleManifest['llm']>;

/** The LLM's layers: vectors in, logits of the last position out, keys and values kept in a cache. */
export class Decoder {
  /** Whether this device's attention may read a long stretch at once; null on the CPU, which may. */
  readonly attention: AttentionCheck | null;
  readonly #part: LanguageModelPart;
  readonly #session: Session;
  readonly #cutter: (TensorCutter & { close(): Promise<void> }) | null;

  private constructor(
    part: LanguageModelPart,
    session: Session,
    cutter: (TensorCutter & { close(): Promise<void> }) | null,
    attention: AttentionCheck | null,
  ) {
    this.attention = attention;
    this.#part = part;
    this.#session = session;
    this.#cutter = cutter;
  }

  static async open(
    folder: string,
    part: LanguageModelPart,
    provider: Provider,
    threads: number,
  ): Promise<Decoder> {
    const graph = provider === 'cpu' ? part.rowsGraph : part.deviceGraph;
    const session = await Session.open('the language model', join(folder, graph), {
      provider,
      threads,
      spin: true,
      resident: presentNames(part.layers),
    });
    if (provider === 'cpu') return new Decoder(part, session, null, null);
    const attention = await checkAttention(part, provider, threads);
    return new Decoder(part, session, await openCutter(part, provider, threads), attention);
  }

  /** The form of this decoder's snapshots. On other providers than the CPU keys and values are f32. */
  form(bundle: string, loraScale: number): CacheForm {
    const { layers, kvHeads, headSize, rowsType } = this.#part;
    return {
      bundle,
      loraScale,
      type: this.#cutter === null ? rowsType : 'float32',
      layers,
      kvHeads,
      headSize,
    };
  }

  newCache(): KeyValueCache {
    return this.#cutter === null
      ? new RowsCache(this.#part, this.#part.rowsType)
      : DeviceCache.from(this.#part, this.#cutter);
  }

  /** A cache that goes on where a snapshot of the same form ended. */
  restore(snapshot: Snapshot): KeyValueCache {
    const length = positionsOf(snapshot.units);
    if (this.#cutter === null) return RowsCache.from(this.#part, this.#part.rowsType, snapshot.rows, length);
    if (snapshot.rows instanceof Float32Array)
      return DeviceCache.from(this.#part, this.#cutter, snapshot.rows, length);
    return this.newCache();
  }

  /**
   * Reads the next positions: `embeddings` [positions, hidden] behind what the cache holds. Gives the logits of the last one
   * [vocabulary]. Throws engine-failed.
   */
  async run(cache: KeyValueCache, embeddings: Float32Array, loraScale: number): Promise<Float32Array> {
    const { hidden, lora } = this.#part;
    const positions = embeddings.length / hidden;
    const total = cache.length + positions;
    const feeds: Feeds = {
      inputs_embeds: new Tensor('float32', embeddings, [1, positions, hidden]),
      seqlens_k: new Tensor('int32', Int32Array.of(total - 1), [1]),
      total_sequence_length: new Tensor('int32', Int32Array.of(total), []),
      ...cache.feeds(positions),
    };
    if (lora !== null) feeds.lora_scale = new Tensor('float32', Float32Array.of(loraScale), []);
    const outputs = await this.#session.run(feeds, ['logits', ...cache.outputs]);
    try {
      cache.accept(outputs, positions);
    } catch (error) {
      throw engineFailed(this.#session.provider, 'Running the language model', error);
    }
    return floats(outputs, 'logits', this.#session);
  }

  async close(): Promise<void> {
    await this.#cutter?.close();
    await this.#session.close();
  }
}
