import { createHash } from 'node:crypto';
import type { EngineName } from '../../contract/conversation.ts';
import type { AnsweringDecoder } from '../answering-model.ts';
import type { EngineEvent } from '../listeners.ts';
import { commonPrefix, positionsOf, type Unit } from '../prompt/sequence.ts';
import { DamagedCacheFile, reasonOf } from './cache-files.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { type CacheForm, deleteSnapshot, readSnapshot, writeSnapshot } from './kv-snapshot.ts';

/** The keys and values of one conversation with one engine, and the sequence that they stand for. */
export interface KeptConversation {
  readonly id: string;
  readonly engine: EngineName;
  readonly form: CacheForm;
  readonly cache: KeyValueCache;
  units: Unit[];
  /** The tokens of each generated answer, by `answerKey` of its text: encoding the text again might give others. */
  readonly answers: Map<string, readonly number[]>;
  /** Changed since it was read from disk. */
  changed: boolean;
}

const mostAnswers = 256;

export interface KeptLimits {
  readonly cacheFolder: string;
  readonly memoryBytes: number;
  readonly snapshotBytes: number;
  readonly log: (event: EngineEvent) => void;
}

/**
 * The conversations whose keys and values are kept, so that a follow-up prefills only what is new. Those used longest ago
 * move from memory to disk; all do when the engine closes, and come back in the next process.
 */
export class KeptConversations {
  readonly #limits: KeptLimits;
  readonly #decoder: AnsweringDecoder;
  /** The one used last stands last. */
  readonly #kept = new Map<string, KeptConversation>();

  constructor(decoder: AnsweringDecoder, limits: KeptLimits) {
    this.#decoder = decoder;
    this.#limits = limits;
  }

  /** What is kept of a conversation, from memory or disk, or a new empty cache. */
  async take(id: string, engine: EngineName, form: CacheForm): Promise<KeptConversation> {
    const key = `${id} ${engine}`;
    const kept =
      this.#kept.get(key) ??
      (await this.#fromDisk(id, engine, form)) ??
      newConversation(id, engine, this.#decoder, form);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    await this.#makeRoom(key);
    return kept;
  }

  /** Throws a conversation away whose cache a failed step left in doubt. */
  drop(kept: KeptConversation): void {
    this.#kept.delete(`${kept.id} ${kept.engine}`);
    kept.cache.dispose();
  }

  /** Writes all of them to disk and frees them. */
  async close(): Promise<void> {
    for (const kept of this.#kept.values()) {
      await this.#toDisk(kept);
      kept.cache.dispose();
    }
    this.#kept.clear();
  }

  async #makeRoom(using: string): Promise<void> {
    let bytes = [...this.#kept.values()].reduce((sum, { cache }) => sum + cache.bytes, 0);
    for (const [key, kept] of this.#kept) {
      if (bytes <= this.#limits.memoryBytes || key === using) return;
      bytes -= kept.cache.bytes;
      this.#kept.delete(key);
      await this.#toDisk(kept);
      kept.cache.dispose();
    }
  }

  async #fromDisk(id: string, engine: EngineName, form: CacheForm): Promise<KeptConversation | null> {
    const { cacheFolder, log } = this.#limits;
    try {
      const snapshot = await readSnapshot(cacheFolder, id, engine, form);
      if (snapshot === null) return null;
      const cache = this.#decoder.restore(snapshot);
      const answers = new Map(snapshot.answers);
      return { id, engine, form, cache, units: [...snapshot.units], answers, changed: false };
    } catch (error) {
      // What cannot be used is made again; it must not stand in the way of an answer.
      log({ event: 'kv-snapshot-unusable', reason: reasonOf(error) });
      if (error instanceof DamagedCacheFile) await deleteSnapshot(cacheFolder, id, engine);
      return null;
    }
  }

  async #toDisk(kept: KeptConversation): Promise<void> {
    if (!kept.changed || kept.units.length === 0) return;
    const { cacheFolder, snapshotBytes, log } = this.#limits;
    if (kept.cache.bytes > snapshotBytes) {
      // A large model's: writing gigabytes that have to go again at once helps nobody.
      log({ event: 'kv-snapshot-too-large', bytes: kept.cache.bytes });
      return;
    }
    try {
      const rows = await kept.cache.rows();
      const snapshot = { units: kept.units, answers: kept.answers, rows };
      await writeSnapshot(cacheFolder, kept.id, kept.engine, kept.form, snapshot, snapshotBytes);
      kept.changed = false;
    } catch (error) {
      // Without a snapshot, a full disk for one, the next question is only slower.
      log({ event: 'kv-snapshot-not-written', reason: reasonOf(error) });
    }
  }
}

/** A conversation of which nothing is kept yet. */
export function newConversation(
  id: string,
  engine: EngineName,
  decoder: AnsweringDecoder,
  form: CacheForm,
): KeptConversation {
  return { id, engine, form, cache: decoder.newCache(), units: [], answers: new Map(), changed: false };
}

/** Shortens what is kept to what it shares with `wanted`. Gives the units and the positions that need no prefill. */
export async function keepCommonPrefix(
  kept: KeptConversation,
  wanted: readonly Unit[],
): Promise<{ units: number; positions: number }> {
  // The last unit is always read again: its logits begin the answer.
  const units = Math.min(commonPrefix(kept.units, wanted), wanted.length - 1);
  const positions = positionsOf(wanted.slice(0, units));
  if (units < kept.units.length) {
    await kept.cache.truncate(positions);
    kept.units = kept.units.slice(0, units);
    kept.changed = true;
  }
  return { units, positions };
}

/** Keeps the tokens of an answer; those of the oldest go, which no context holds any more. */
export function keepAnswer(kept: KeptConversation, text: string, tokens: readonly number[]): void {
  if (text === '') return;
  kept.answers.set(answerKey(text), tokens);
  const [oldest] = kept.answers.keys();
  if (kept.answers.size > mostAnswers && oldest !== undefined) kept.answers.delete(oldest);
}

/** Key of an answer's text, the same whether or not a store trimmed it. */
export function answerKey(text: string): string {
  return createHash('sha256').update(text.trim()).digest('hex');
}
