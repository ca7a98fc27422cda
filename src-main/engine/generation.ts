import { setImmediate } from 'node:timers/promises';
import type { AnsweringModel } from './answering-model.ts';
import { type KeptConversation, keepCommonPrefix } from './caches/kept-conversations.ts';
import type { Generation, GenerationListener, GenerationRequest } from './generation-request.ts';
import { positionsOf, type Unit } from './prompt/sequence.ts';
import { TokenText } from './prompt/token-text.ts';
import { Sampler } from './sampler.ts';
import type { Stopwatch } from './stopwatch.ts';
import { writeByBeams } from './write-by-beams.ts';

const noSound: ReadonlyMap<string, Float32Array> = new Map();

/** Positions read in one run: small enough that stopping is quick, large enough that the cores are busy. */
const prefillPositions = 256;

/**
 * Reads a prompt, of which only what is new is computed, and writes its answer. Stops within one token or one
 * stretch of the prompt when aborted. `kept` then holds exactly what its cache does, however this ends.
 */
export async function generate(
  model: AnsweringModel,
  kept: KeptConversation,
  request: GenerationRequest,
  on: GenerationListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Generation> {
  const prefix = await keepCommonPrefix(kept, request.units);
  const rest = request.units.slice(prefix.units);
  const logits = await watch.time('prefillMs', () => prefill(model, kept, rest, request, signal));
  const cachedPositions = prefix.positions;
  if (logits === null) return { text: '', tokens: [], finish: 'cancelled', cachedPositions };
  // Beams look for the likeliest answer; where chance is to choose, there is none.
  const write = request.beams > 1 && request.sampling.temperature === 0 ? writeByBeams : writeTokens;
  const written = await watch.time('decodeMs', () => write(model, kept, logits, request, on, watch, signal));
  return { ...written, cachedPositions };
}

/** Reads units behind what is kept; gives the logits of the last one, or null when aborted. */
export async function prefill(
  model: AnsweringModel,
  kept: KeptConversation,
  units: readonly Unit[],
  { vectors, loraScale }: Pick<GenerationRequest, 'vectors' | 'loraScale'>,
  signal: AbortSignal,
): Promise<Float32Array | null> {
  const atOnce = Math.min(prefillPositions, model.decoder.attention?.positionsAtOnce ?? prefillPositions);
  const stretchValues = atOnce * model.part.hidden;
  let logits: Float32Array | null = null;
  for (let next = 0; next < units.length; ) {
    const stretch = stretchFrom(units, next);
    const embeddings = await model.embed(stretch, vectors);
    for (let at = 0; at < embeddings.length; at += stretchValues) {
      if (signal.aborted) {
        // A clip that was read in part is no unit yet.
        await kept.cache.truncate(positionsOf(kept.units));
        return null;
      }
      kept.changed = true;
      logits = await model.decoder.run(kept.cache, embeddings.subarray(at, at + stretchValues), loraScale);
      await setImmediate();
    }
    kept.units.push(...stretch);
    next += stretch.length;
  }
  return logits;
}

/** Writes the answer that the prompt's last logits begin, token by token. */
async function writeTokens(
  model: AnsweringModel,
  kept: KeptConversation,
  begin: Float32Array,
  { sampling, room, loraScale }: GenerationRequest,
  on: GenerationListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Omit<Generation, 'cachedPositions'>> {
  const sampler = new Sampler(sampling);
  const text = new TokenText(model.tokens);
  const tokens: number[] = [];
  const most = Math.min(sampling.maxTokens, room);
  const ended = (finish: Generation['finish']) => ({ text: text.text, tokens, finish });
  for (let logits = begin; ; ) {
    if (signal.aborted) return ended('cancelled');
    const token = sampler.next(logits, tokens);
    if (tokens.length === 0) {
      watch.markFirstToken();
      on.begin?.();
    }
    if (model.part.eosTokens.includes(token)) return ended('stop');
    tokens.push(token);
    const piece = text.push(token);
    if (piece !== '') on.token(piece);
    if (tokens.length >= most) return ended('length');
    logits = await model.decoder.run(kept.cache, await model.embed([token], noSound), loraScale);
    kept.units.push(token);
    // Messages, a stop among them, come in between two tokens.
    await setImmediate();
  }
}

/** The next units of about `prefillPositions`; a longer clip comes by itself. */
function stretchFrom(units: readonly Unit[], from: number): Unit[] {
  const stretch: Unit[] = [];
  let positions = 0;
  for (const unit of units.slice(from, from + prefillPositions)) {
    const size = typeof unit === 'number' ? 1 : unit.positions;
    if (stretch.length > 0 && positions + size > prefillPositions) break;
    stretch.push(unit);
    positions += size;
  }
  return stretch;
}
