import type { EngineName } from '../contract/conversation.ts';
import type { PromptTurn } from '../contract/engine.ts';
import type { PromptMessage } from './prompt/prompt.ts';
import type { Stopwatch } from './stopwatch.ts';

export type AudioTurn = Extract<PromptTurn, { type: 'audio' }>;

/** A spoken turn, ready for the prompt. */
export interface Heard {
  readonly content: PromptMessage['content'];
  /** Vectors of the sound in `content`, by hash. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
  /** Positions that are sound. */
  readonly audioTokens: number;
  /** The words that were recognised on the way, for reading. */
  readonly heardAs: string;
}

/**
 * One way from sound to an answer: `SpeechLlm` gives the LLM the sound itself, `Cascade` gives it Whisper's words. Both use the
 * same LLM, prompts and caches, so that they can be compared.
 */
export interface SpeechModel {
  readonly name: EngineName;
  /** Strength of the adaptor's LoRA; 0 is the LLM as published. */
  readonly loraScale: number;
  /** Positions that a spoken turn takes, as far as can be told without running a model. */
  estimate(turn: AudioTurn): Promise<number>;
  /**
   * Makes a spoken turn ready. `asked` is the turn to be answered: only that one is refused as too short or silent. Throws
   * ParlanceError, or the signal's reason within one encoder window.
   */
  hear(turn: AudioTurn, asked: boolean, watch: Stopwatch, signal: AbortSignal): Promise<Heard>;
}

/**
 * More positions a second than any sound takes: an adaptor frame of 80 ms can become one position, and nobody speaks twelve
 * words a second. Sound is refused by it before any time is spent on encoding.
 */
export const mostPositionsPerSecond = 12.5;
/** What speech takes on average, for a first estimate. */
export const usualPositionsPerSecond = 4;
