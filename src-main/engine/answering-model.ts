import type { KeyValueCache } from './caches/key-value-cache.ts';
import type { CacheForm, Snapshot } from './caches/kv-snapshot.ts';
import type { AttentionCheck } from './onnxruntime/attention-check.ts';
import type { PromptBuilder } from './prompt/prompt.ts';
import type { Unit } from './prompt/sequence.ts';
import type { TextTokens } from './prompt/text-tokens.ts';

/** An LLM's layers, whoever made the graph: see `Decoder`. */
export interface AnsweringDecoder {
  /** Whether this device's attention may read a long stretch at once; null where it may. */
  readonly attention: AttentionCheck | null;
  form(bundle: string, loraScale: number): CacheForm;
  newCache(): KeyValueCache;
  restore(snapshot: Snapshot): KeyValueCache;
  /** Reads `embeddings` [positions, hidden] behind what the cache holds; gives the logits of the last one. */
  run(cache: KeyValueCache, embeddings: Float32Array, loraScale: number): Promise<Float32Array>;
}

/** What prompts, generation and kept conversations need of an LLM: see `LanguageModel`. */
export interface AnsweringModel {
  readonly part: {
    /** Values of a position as `embed` gives them and the decoder reads them. */
    readonly hidden: number;
    readonly contextLength: number;
    readonly eosTokens: readonly number[];
  };
  readonly tokens: TextTokens;
  readonly prompts: PromptBuilder;
  readonly decoder: AnsweringDecoder;
  embed(units: readonly Unit[], vectors: ReadonlyMap<string, Float32Array>): Promise<Float32Array>;
  close(): Promise<void>;
}
