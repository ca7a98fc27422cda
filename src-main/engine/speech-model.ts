import type { EngineName } from '../contract/conversation.ts';
import type { PromptTurn } from '../contract/engine.ts';
import type { AudioEmbeddings } from './caches/audio-embeddings.ts';
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
  /** The words that were recognised on the way, for reading; empty where none were. */
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
  /** What a spoken turn will be in the prompt, as far as can be told without running a model: its size is an estimate. */
  outline(turn: AudioTurn): Promise<PromptMessage['content']>;
  /** Seconds of speech that are sure to fit into so many positions: more is refused before any time is spent on encoding. */
  fit(room: number): number;
  /**
   * Makes a spoken turn ready. `asked` is the turn to be answered: only that one is refused as too short or silent. Throws
   * ParlanceError, or the signal's reason within one encoder window.
   */
  hear(turn: AudioTurn, asked: boolean, watch: Stopwatch, signal: AbortSignal): Promise<Heard>;
}

/** A model that gives its LLM the sound itself, so that it can be asked to write the sound down. */
export interface HearingModel extends SpeechModel {
  /** Sound as it stands in a turn, `audio` being the hash of its vectors, and what is asked of it. */
  content(audio: string, positions: number, instruction: string): PromptMessage['content'];
  /** Pieces of a clip that can be encoded by themselves, none longer than `seconds`. */
  windows(samples: Float32Array, seconds?: number): Float32Array[];
  /** Vectors of a clip of any length. */
  encode(samples: Float32Array, watch: Stopwatch, signal: AbortSignal): Promise<AudioEmbeddings>;
}
