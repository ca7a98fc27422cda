import { type EncoderLimits, mostSamples } from '../../../native-models/features/encoder-input.ts';
import { frameLevelDb } from './loudness.ts';
import { sampleRate } from './wav.ts';

/** How far before the end of a window a pause is looked for, at most; in short windows, this share of them. */
const searched = 5 * sampleRate;
const searchedShare = 1 / 6;
const pause = sampleRate / 10;
/** What an encoder without a limit reads at once: attention's cost grows with the square, and Whisper reads as many. */
const usualPositions = 1500;

/** Samples of the longest window that all of these encoders read at once. */
export function windowSamples(encoders: readonly EncoderLimits[]): number {
  const most = encoders.map(
    (encoder) => mostSamples(encoder) ?? Math.floor((usualPositions / encoder.framesPerSecond) * sampleRate),
  );
  return Math.min(...most);
}

/**
 * Cuts a clip into windows of at most `longest` samples, at the quietest tenth of a second near each end: a word cut in two is
 * heard as neither.
 */
export function audioWindows(samples: Float32Array, longest: number): Float32Array[] {
  const windows: Float32Array[] = [];
  let start = 0;
  while (samples.length - start > longest) {
    const end = quietest(samples, start + shortestWindow(longest), start + longest);
    windows.push(samples.subarray(start, end));
    start = end;
  }
  windows.push(samples.subarray(start));
  return windows;
}

/** Samples of the shortest window but the last. */
export function shortestWindow(longest: number): number {
  return longest - Math.min(searched, Math.floor(longest * searchedShare));
}

/** Middle of the quietest tenth of a second in [from, to). */
function quietest(samples: Float32Array, from: number, to: number): number {
  let best = to;
  let level = Infinity;
  for (let at = from; at + pause <= to; at += pause >> 1) {
    const here = frameLevelDb(samples, at, at + pause);
    if (here < level) {
      level = here;
      best = at + (pause >> 1);
    }
  }
  return best;
}
