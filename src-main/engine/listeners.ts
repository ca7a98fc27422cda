import type { Segment } from '../contract/engine.ts';

/** What the engine is doing, for the screen: reading weights, encoding sound, prefilling, decoding. */
export type Phase = 'loading' | 'hearing' | 'thinking' | 'writing';

export interface AnswerListener {
  /** A piece of the answer: whole characters, no special tokens. All pieces joined are the answer's text. */
  token(text: string): void;
  phase?(phase: Phase): void;
}

export interface TranscribeListener {
  segment?(segment: Segment): void;
  phase?(phase: Phase): void;
}

/** Something worth a line in the log. Never holds what was said, asked or answered. */
export interface EngineEvent {
  readonly event: string;
  readonly [detail: string]: string | number | boolean;
}
