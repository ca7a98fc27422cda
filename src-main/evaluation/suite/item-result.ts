import type { BleuCounts } from '../metrics/bleu.ts';
import type { ChrfCounts } from '../metrics/chrf.ts';
import type { Edits } from '../metrics/edit-distance.ts';
import type { TokenLoss } from '../metrics/perplexity.ts';

/**
 * Who is measured: an engine, Whisper alone, or the LLM given the written words, which no engine that hears can be expected to
 * beat.
 */
export type Subject = 'written' | 'whisper' | 'cascade' | 'speech-llm';

export interface TranscriptResult {
  readonly text: string;
  readonly words: Edits;
  readonly characters: Edits;
  /** Of the words that must be kept: how many were. Null when the item lists none. */
  readonly kept: { readonly found: number; readonly listed: number } | null;
}

export interface AnswerResult {
  readonly text: string;
  /** Null when the item knows no right answer. */
  readonly isRight: boolean | null;
  readonly follows: boolean;
  readonly distinctWords: number;
  readonly isRepetitive: boolean;
  /** ROUGE-L to the item's own response; null when it has none. */
  readonly rougeL: number | null;
}

export interface ResponseResult extends TokenLoss {
  /** Sum over its tokens, in nats; null for the written words themselves. */
  readonly divergence: number | null;
}

export interface TranslationResult {
  readonly text: string;
  readonly bleu: BleuCounts;
  readonly chrf: ChrfCounts;
}

/** What one subject made of one item; null is what does not apply to it, or what it cannot do. */
export interface ItemResult {
  readonly item: string;
  readonly subject: Subject;
  readonly isMultiTurn: boolean;
  readonly transcript: TranscriptResult | null;
  readonly answer: AnswerResult | null;
  readonly response: ResponseResult | null;
  readonly translation: TranslationResult | null;
}
