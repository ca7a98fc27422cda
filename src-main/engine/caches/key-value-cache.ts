import type { Feeds, Outputs } from '../onnxruntime/session.ts';
import type { Rows } from './kv-snapshot.ts';

/** Shape of one model's keys and values. */
export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
}

/** Keys and values of one sequence. The decoder reads them from here and puts the new ones in. */
export interface KeyValueCache {
  /** Positions held. */
  readonly length: number;
  readonly bytes: number;
  /** Past keys and values as inputs, with room for `added` more positions. */
  feeds(added: number): Feeds;
  /** Names of the outputs that `accept` wants beside the logits. */
  readonly outputs: readonly string[];
  /** Takes over what the decoder gave for `added` positions. */
  accept(outputs: Outputs, added: number): void;
  /** Forgets the positions from `length` on. */
  truncate(length: number): Promise<void>;
  /**
   * Becomes a copy of another cache of the same kind, with which it shares the first `shared` positions already. Throws
   * TypeError for one of another kind.
   */
  follow(other: KeyValueCache, shared: number): Promise<void>;
  /** A copy: [2·layers, kvHeads, length, headSize], keys of layer N at 2N, values at 2N+1. */
  rows(): Promise<Rows>;
  /** Frees what lives outside JavaScript's own memory. */
  dispose(): void;
}

/** Graph names of all keys and values in the order of `rows`. */
export function pastNames(layers: number): string[] {
  return Array.from({ length: 2 * layers }, (_, i) => `past_key_values.${i >> 1}.${i % 2 ? 'value' : 'key'}`);
}

export function presentNames(layers: number): string[] {
  return Array.from({ length: 2 * layers }, (_, i) => `present.${i >> 1}.${i % 2 ? 'value' : 'key'}`);
}
