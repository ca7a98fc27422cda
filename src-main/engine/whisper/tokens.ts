import { logSumExp } from '../log-sum-exp.ts';
import type { WhisperPart } from './whisper.ts';

export type WhisperTask = 'transcribe' | 'translate';

/** A timestamp token stands for this many seconds more than the one before. */
export const timestampSeconds = 0.02;
/** Speech that begins later than this is left to a later timestamp: the first one may not skip it. */
const latestFirstTimestamp = 1 / timestampSeconds;

/** What Whisper is asked with: language, task, and timestamps wanted. */
export function openingTokens(
  { tokens }: Pick<WhisperPart, 'tokens'>,
  language: string,
  task: WhisperTask,
): number[] {
  const code = tokens.languages[language];
  return [
    tokens.startOfTranscript,
    // A model for English alone has neither languages nor tasks.
    ...(code === undefined ? [] : [code, task === 'translate' ? tokens.translate : tokens.transcribe]),
  ];
}

/**
 * Takes out of the logits what may not come next (Radford et al. 2022, section 4.5 and the decoder published with it): tokens
 * that are never text; at the start anything but a timestamp; timestamps in pairs that never go back; and text, where all
 * timestamps together are likelier than any text token. `written` are the tokens after the opening.
 */
export function applyTimestampRules(
  logits: Float32Array,
  written: readonly number[],
  { tokens, vocabulary }: Pick<WhisperPart, 'tokens' | 'vocabulary'>,
): void {
  const { firstTimestamp, endOfText } = tokens;
  for (const token of tokens.suppress) logits[token] = -Infinity;
  logits[tokens.noTimestamps] = -Infinity;
  const forbid = (from: number, to: number) => logits.fill(-Infinity, from, to);

  if (written.length === 0) {
    for (const token of tokens.suppressAtBegin) logits[token] = -Infinity;
    forbid(0, firstTimestamp);
    forbid(firstTimestamp + latestFirstTimestamp + 1, vocabulary);
    return;
  }
  const isTimestamp = (token: number | undefined) => token !== undefined && token >= firstTimestamp;
  if (isTimestamp(written.at(-1))) {
    // After a segment's end comes the next one's beginning or the end of all; after a beginning comes text.
    const endsSegment = written.length > 1 && !isTimestamp(written.at(-2));
    if (endsSegment) forbid(0, endOfText);
    else forbid(firstTimestamp, vocabulary);
  }
  const last = written.findLast(isTimestamp);
  if (last !== undefined) {
    // A segment must not be empty: its end is later than its beginning.
    const opens = isTimestamp(written.at(-1)) && !isTimestamp(written.at(-2) ?? firstTimestamp);
    forbid(firstTimestamp, opens ? last : last + 1);
  }
  preferTimestamp(logits, firstTimestamp, vocabulary);
}

/** Where the timestamps together weigh more than the likeliest text token, a timestamp comes. */
function preferTimestamp(logits: Float32Array, firstTimestamp: number, vocabulary: number): void {
  let bestText = -Infinity;
  for (let token = 0; token < firstTimestamp; token++) bestText = Math.max(bestText, logits[token] as number);
  if (logSumExp(logits, firstTimestamp, vocabulary) > bestText) logits.fill(-Infinity, 0, firstTimestamp);
}

/** A stretch of text between two timestamps, seconds from the start of the window. */
export interface TimedTokens {
  readonly start: number;
  readonly end: number;
  readonly tokens: readonly number[];
}

/** What a window holds, cut at its timestamps. */
export interface TimedWindow {
  readonly segments: readonly TimedTokens[];
  /** Words after the last timestamp: the window ended before their sentence did. */
  readonly unfinished: TimedTokens | null;
  /** How far into the window whole segments reach, seconds. */
  readonly heardSeconds: number;
}

/** Cuts what was written for a window of `seconds` into segments. */
export function splitAtTimestamps(
  written: readonly number[],
  { tokens: { firstTimestamp, endOfText } }: Pick<WhisperPart, 'tokens'>,
  seconds: number,
): TimedWindow {
  const segments: TimedTokens[] = [];
  let start = 0;
  let text: number[] = [];
  for (const token of written) {
    if (token < endOfText) text.push(token);
    if (token < firstTimestamp) continue;
    const time = Math.min(seconds, (token - firstTimestamp) * timestampSeconds);
    if (text.length > 0) segments.push({ start, end: time, tokens: text });
    text = [];
    start = time;
  }
  const unfinished = text.length > 0 ? { start, end: seconds, tokens: text } : null;
  const [secondLast = 0, last = 0] = written.slice(-2);
  // Two timestamps at the end: a segment began of which nothing was heard.
  const beganAnother = secondLast >= firstTimestamp && last >= firstTimestamp;
  return { segments, unfinished, heardSeconds: unfinished !== null || beganAnother ? start : seconds };
}
