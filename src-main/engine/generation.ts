import { setImmediate } from 'node:timers/promises';
import type { Sampling } from '../contract/engine.ts';
import { type KeptConversation, keepCommonPrefix } from './kept-conversations.ts';
import type { LanguageModel } from './language-model.ts';
import { Sampler } from './sampler.ts';
import type { Unit } from './sequence.ts';
import type { Stopwatch } from './stopwatch.ts';
import { TokenText } from './token-text.ts';

/** Positions read in one run: small enough that stopping is quick, large enough that the cores are busy. */
const prefillPositions = 256;

export interface Generation {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finish: 'stop' | 'length' | 'cancelled';
  /** Positions of the prompt that were not computed again. */
  readonly cachedPositions: number;
}

export interface GenerationRequest {
  readonly units: readonly Unit[];
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly loraScale: number;
  readonly sampling: Sampling;
  /** Tokens that fit behind the prompt. */
  readonly room: number;
}

/**
 * Reads a prompt, of which only what is new is computed, and writes its answer token by token. Stops within one token or one
 * stretch of the prompt when aborted. `kept` then holds exactly what its cache does, however this ends.
 */
export async function generate(
  model: LanguageModel,
  kept: KeptConversation,
  request: GenerationRequest,
  on: { begin?(): void; token(text: string): void },
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Generation> {
  const { units, sampling } = request;
  const prefix = await keepCommonPrefix(kept, units);
  const answer: number[] = [];
  const text = new TokenText(model.tokens);
  const ended = (finish: Generation['finish']): Generation => ({
    text: text.text,
    tokens: answer,
    finish,
    cachedPositions: prefix.positions,
  });

  let logits: Float32Array | null = null;
  for (let at = prefix.units; at < units.length; ) {
    if (signal.aborted) return ended('cancelled');
    const stretch = stretchFrom(units, at);
    logits = await watch.time('prefillMs', () => read(model, kept, stretch, request));
    at += stretch.length;
    await setImmediate();
  }
  const sampler = new Sampler(sampling);
  const most = Math.min(sampling.maxTokens, request.room);
  while (logits !== null) {
    if (signal.aborted) return ended('cancelled');
    const token = sampler.next(logits, answer);
    if (answer.length === 0) {
      watch.markFirstToken();
      on.begin?.();
    }
    if (model.part.eosTokens.includes(token)) return ended('stop');
    answer.push(token);
    const piece = text.push(token);
    if (piece !== '') on.token(piece);
    if (answer.length >= most) return ended('length');
    logits = await watch.time('decodeMs', () => read(model, kept, [token], request));
    // Messages, a stop among them, come in between two tokens.
    await setImmediate();
  }
  return ended('length');
}

async function read(
  model: LanguageModel,
  kept: KeptConversation,
  units: readonly Unit[],
  { vectors, loraScale }: GenerationRequest,
): Promise<Float32Array> {
  const embeddings = await model.embed(units, vectors);
  kept.changed = true;
  const logits = await model.decoder.run(kept.cache, embeddings, loraScale);
  kept.units.push(...units);
  return logits;
}

/** The next units, a clip never cut in two, of about `prefillPositions`. */
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
