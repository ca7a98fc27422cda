import type { Segment } from '../../contract/engine.ts';
import { ParlanceError } from '../../contract/errors.ts';
import { loudness } from '../sound/loudness.ts';
import { sampleRate } from '../sound/wav.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { decodeWindow } from './decoding.ts';
import { splitAtTimestamps, type WhisperTask } from './tokens.ts';
import { type CrossCache, isSpeech, type Whisper } from './whisper.ts';

const windowSamples = 30 * sampleRate;
/** What is left of a clip after the last word: not worth a window of its own, which would have to invent words for it. */
const restSamples = sampleRate;
/** Quieter windows are passed over unheard. */
const silentDb = -60;

export interface WindowsListener {
  segment?(segment: Segment): void;
}

export interface WindowsTranscript {
  readonly text: string;
  readonly language: string;
  readonly segments: Segment[];
}

/**
 * Transcribes sound of any length. Each window of 30 s begins where the last whole segment of the one before ended. Windows
 * do not see each other's words: a mistake, or a loop, ends with its window. Throws not-supported for a language the model does
 * not know, engine-failed, or the signal's reason.
 */
export async function transcribeWindows(
  whisper: Whisper,
  samples: Float32Array,
  options: { language: string; task: WhisperTask },
  on: WindowsListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<WindowsTranscript> {
  const segments: Segment[] = [];
  let language = checkedLanguage(whisper, options.language);
  for (let start = 0; start < samples.length; ) {
    signal.throwIfAborted();
    const window = samples.subarray(start, start + windowSamples);
    if (start > 0 && window.length < restSamples) break;
    if (loudness(window).loudestDb < silentDb) {
      start += window.length;
      continue;
    }
    const cross = await whisper.listen(window, watch);
    const impression = await watch.time('transcribeMs', () => whisper.firstImpression(cross));
    // Over noise any language is as likely; a voice that only seems to be none must still be heard.
    if (isSpeech(impression)) language ??= impression.language;
    const spoken = { language: language ?? impression.language, task: options.task };
    const heard = await watch.time('transcribeMs', () => hearWindow(whisper, cross, window, spoken, signal));
    for (const { start: from, end, text } of heard.segments) {
      const offset = start / sampleRate;
      const segment = { start: rounded(offset + from), end: rounded(offset + end), text };
      segments.push(segment);
      on.segment?.(segment);
    }
    start += heard.samples;
  }
  const text = segments.map((segment) => segment.text).join(' ');
  return { text, language: language ?? 'en', segments };
}

/** Whether anybody speaks in sound of any length, without writing it down. Throws engine-failed, or the signal's reason. */
export async function hearsSpeech(
  whisper: Whisper,
  samples: Float32Array,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<boolean> {
  for (let start = 0; start < samples.length; start += windowSamples) {
    signal.throwIfAborted();
    const window = samples.subarray(start, start + windowSamples);
    if (loudness(window).loudestDb < silentDb) continue;
    const cross = await whisper.listen(window, watch);
    if (isSpeech(await watch.time('transcribeMs', () => whisper.firstImpression(cross)))) return true;
  }
  return false;
}

async function hearWindow(
  whisper: Whisper,
  cross: CrossCache,
  window: Float32Array,
  options: { language: string; task: WhisperTask },
  signal: AbortSignal,
): Promise<{ segments: Segment[]; samples: number }> {
  const seconds = window.length / sampleRate;
  const decoded = await decodeWindow(whisper, cross, { ...options, seconds }, signal);
  if (decoded === null) return { segments: [], samples: window.length };
  const { segments, unfinished, heardSeconds } = splitAtTimestamps(decoded.tokens, whisper.part, seconds);
  // Only a full window can have cut a sentence, which is then heard again from where it began.
  const again = window.length === windowSamples && heardSeconds >= 1 && heardSeconds < seconds;
  const timed = again || unfinished === null ? segments : [...segments, unfinished];
  const texts = timed
    .map(({ start, end, tokens }) => ({ start, end, text: whisper.text.decode(tokens).trim() }))
    .filter(({ text }) => text !== '');
  return { segments: texts, samples: again ? Math.round(heardSeconds * sampleRate) : window.length };
}

function checkedLanguage(whisper: Whisper, language: string): string | null {
  if (language === 'auto') return null;
  const { languages } = whisper.part.tokens;
  if (Object.hasOwn(languages, language)) return language;
  if (language === 'en' && Object.keys(languages).length === 0) return language;
  throw new ParlanceError(
    'not-supported',
    `This bundle's Whisper does not know the language "${language}".`,
    'Give a two-letter code such as en or de, or auto.',
  );
}

/** Times are multiples of 20 ms; adding them up must not show 3.3000000000000003. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
