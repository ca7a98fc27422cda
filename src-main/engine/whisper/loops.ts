import { deflateSync } from 'node:zlib';

/** The threshold published with Whisper. */
export const mostRepetition = 2.4;
/** Faster than anybody speaks: four tokens are a second's usual words. */
const mostTokensPerSecond = 10;
/** Whisper was trained on subtitles, which are short: in a longer segment only a loop stays without an end. */
const longestSegment = 10;

/** How many times smaller a text becomes when compressed: repetition compresses well. */
export function repetitionOf(text: string): number {
  const bytes = Buffer.from(text);
  return bytes.length === 0 ? 0 : bytes.length / deflateSync(bytes).length;
}

/**
 * Whether the decoder goes round in circles, by the segments of a window. A person may repeat a sentence for as long as they
 * like, but takes the time to say it: a loop repeats more than there is time for.
 */
export function isLoop(segments: ReadonlyArray<{ text: string; tokens: number; seconds: number }>): boolean {
  const inOne = segments.some(
    ({ text, tokens, seconds }) =>
      tokens > mostTokensPerSecond * Math.min(seconds, longestSegment) && repetitionOf(text) > mostRepetition,
  );
  const sum = (of: (segment: { tokens: number; seconds: number }) => number) =>
    segments.reduce((total, segment) => total + of(segment), 0);
  const inAll = sum(({ tokens }) => tokens) > mostTokensPerSecond * sum(({ seconds }) => seconds);
  return inOne || (inAll && repetitionOf(segments.map(({ text }) => text).join(' ')) > mostRepetition);
}

/** Tokens without the repeats at their end, of which the first turn stays. What repeats less than three times is no loop. */
export function cutLoop(tokens: readonly number[]): readonly number[] {
  for (let period = 1; 3 * period <= tokens.length; period++) {
    // The last turn may have been left half-way, so that any shift of the cycle is as good as another.
    let first = tokens.length;
    while (first > period && tokens[first - 1] === tokens[first - 1 - period]) first--;
    if (tokens.length - first >= 2 * period) return tokens.slice(0, first);
  }
  return tokens;
}
