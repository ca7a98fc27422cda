import { setImmediate } from 'node:timers/promises';
import type { AnsweringModel } from './answering-model.ts';
import { BeamSearch, type Hypothesis } from './beam-search.ts';
import type { KeptConversation } from './caches/kept-conversations.ts';
import type { KeyValueCache } from './caches/key-value-cache.ts';
import type { Generation, GenerationListener, GenerationRequest } from './generation-request.ts';
import { commonPrefix } from './prompt/sequence.ts';
import { TokenText } from './prompt/token-text.ts';
import type { Stopwatch } from './stopwatch.ts';

const noSound: ReadonlyMap<string, Float32Array> = new Map();

/**
 * Writes the answer that the prompt's last logits begin, by beam search. Text is given out as soon as all sequences share it.
 * Aborted, it gives the best sequence so far. `kept` holds the prompt alone in the end.
 */
export async function writeByBeams(
  model: AnsweringModel,
  kept: KeptConversation,
  begin: Float32Array,
  { sampling, beams, room, loraScale }: GenerationRequest,
  on: GenerationListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Omit<Generation, 'cachedPositions'>> {
  const search = new BeamSearch({
    beams,
    eosTokens: model.part.eosTokens,
    mostTokens: Math.min(sampling.maxTokens, room),
    repetitionPenalty: sampling.repetitionPenalty,
  });
  const caches = new BeamCaches(kept.cache, () => model.decoder.newCache());
  const text = new TokenText(model.tokens);
  let given = 0;
  const giveOut = (tokens: readonly number[], count: number) => {
    if (given === 0 && count > 0) watch.markFirstToken();
    for (; given < count; given++) {
      const piece = text.push(tokens[given] ?? 0);
      if (piece !== '') on.token(piece);
    }
  };
  on.begin?.();
  try {
    for (let logits = [begin]; !signal.aborted; ) {
      search.advance(logits);
      giveOut(search.best.tokens, search.settled);
      if (search.done) break;
      const read = await readTokens(model, caches, search.running, loraScale, signal);
      if (read === null) break;
      logits = read;
    }
  } finally {
    await caches.close();
  }
  const { tokens, stopped } = search.best;
  giveOut(tokens, tokens.length);
  const finish = search.done ? (stopped ? 'stop' : 'length') : 'cancelled';
  return { text: text.text, tokens, finish };
}

/** Logits behind each running sequence; null when aborted. */
async function readTokens(
  model: AnsweringModel,
  caches: BeamCaches,
  running: readonly Hypothesis[],
  loraScale: number,
  signal: AbortSignal,
): Promise<Float32Array[] | null> {
  const embeddings = await model.embed(
    running.map(({ tokens }) => tokens.at(-1) ?? 0),
    noSound,
  );
  const beams = await caches.arrange(running);
  const logits: Float32Array[] = [];
  for (const [i, cache] of beams.entries()) {
    if (signal.aborted) return null;
    const { hidden } = model.part;
    const vector = embeddings.subarray(i * hidden, (i + 1) * hidden);
    logits.push(await model.decoder.run(cache, vector, loraScale));
    await setImmediate();
  }
  return logits;
}

/** A cache and the answer's tokens that it holds behind the prompt. */
interface Beam {
  readonly cache: KeyValueCache;
  tokens: readonly number[];
}

/**
 * The caches of the running sequences. Where several go on from one, the others take over the caches of those that were given
 * up: only the rows in which the two differ are copied.
 */
class BeamCaches {
  readonly #prompt: number;
  readonly #kept: KeyValueCache;
  readonly #newCache: () => KeyValueCache;
  /** In the order of the running sequences, then those that are free. */
  #beams: Beam[];

  /** `kept` holds the prompt, and is the first sequence's own. */
  constructor(kept: KeyValueCache, newCache: () => KeyValueCache) {
    this.#prompt = kept.length;
    this.#kept = kept;
    this.#newCache = newCache;
    this.#beams = [{ cache: kept, tokens: [] }];
  }

  /** A cache for each sequence, holding all of it but its last token, which is to be read next. */
  async arrange(running: readonly Hypothesis[]): Promise<KeyValueCache[]> {
    const heirs = new Map<number, number>();
    running.forEach(({ parent }, i) => {
      if (!heirs.has(parent)) heirs.set(parent, i);
    });
    const free = this.#beams.filter((_, i) => !heirs.has(i));
    const arranged: Beam[] = [];
    for (const [i, { parent, tokens }] of running.entries()) {
      const own = this.#beams[parent];
      if (own === undefined) throw new RangeError(`no sequence ${parent} to go on from`);
      const beam = heirs.get(parent) === i ? own : (free.pop() ?? { cache: this.#newCache(), tokens: null });
      if (beam !== own) {
        const shared = beam.tokens === null ? 0 : this.#prompt + commonPrefix(beam.tokens, own.tokens);
        await beam.cache.follow(own.cache, shared);
      }
      arranged.push({ cache: beam.cache, tokens });
    }
    this.#beams = [...arranged, ...free];
    return arranged.map(({ cache }) => cache);
  }

  /** Frees all caches but the prompt's. */
  async close(): Promise<void> {
    for (const { cache } of this.#beams) if (cache !== this.#kept) cache.dispose();
    await this.#kept.truncate(this.#prompt);
  }
}
