import { frameLevelDb } from './loudness.ts';
import { sampleRate } from './wav.ts';

const longest = 30 * sampleRate;
/** How far before the end of a window a pause is looked for. */
const searched = 5 * sampleRate;
const pause = sampleRate / 10;

/**
 * Cuts a clip into windows of at most 30 s, Whisper's limit, at the quietest tenth of a second near each end: a word cut in two
 * is heard as neither.
 */
export function audioWindows(samples: Float32Array): Float32Array[] {
  const windows: Float32Array[] = [];
  let start = 0;
  while (samples.length - start > longest) {
    const end = quietest(samples, start + longest - searched, start + longest);
    windows.push(samples.subarray(start, end));
    start = end;
  }
  windows.push(samples.subarray(start));
  return windows;
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
