import { describe, expect, it } from 'vitest';
import {
  applyTimestampRules,
  openingTokens,
  splitAtTimestamps,
} from '../../../src-main/engine/whisper/tokens.ts';

/** 10 text tokens, the end, the special ones, then timestamps from 20 on. */
const tokens = {
  endOfText: 10,
  startOfTranscript: 11,
  translate: 12,
  transcribe: 13,
  startOfPrevious: 14,
  noSpeech: 15,
  noTimestamps: 16,
  firstTimestamp: 20,
  languages: { en: 17, de: 18 },
  suppress: [9, 11, 12, 13, 14, 15, 17, 18, 19],
  suppressAtBegin: [0, 10],
};
const part = { tokens, vocabulary: 1521 };
const time = (seconds: number) => 20 + Math.round(seconds / 0.02);

function allowed(written: readonly number[], favoured: Record<number, number> = {}): number[] {
  const logits = new Float32Array(part.vocabulary);
  // Every timestamp is unlikely, so that text wins unless a rule forbids it.
  logits.fill(-20, tokens.firstTimestamp);
  for (const [token, logit] of Object.entries(favoured)) logits[Number(token)] = logit;
  applyTimestampRules(logits, written, part);
  return [...logits.keys()].filter((token) => logits[token] !== -Infinity);
}

describe('Whisper’s rules for what may come next', () => {
  it('begin with a timestamp of the first second', () => {
    const first = allowed([]);
    expect([first[0], first.at(-1)]).toEqual([time(0), time(1)]);
  });

  it('let text follow a beginning, and never what is suppressed', () => {
    expect(allowed([time(0)])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 10]);
  });

  it('let only the next beginning or the end follow a segment’s end', () => {
    const after = allowed([time(0), 1, time(2)]);
    expect(after[0]).toBe(tokens.endOfText);
    expect(after[1]).toBe(time(2));
  });

  it('never let time go back, nor a segment be empty', () => {
    const timestamps = allowed([time(1), 1]).filter((token) => token >= tokens.firstTimestamp);
    expect(timestamps[0]).toBe(time(1.02));
  });

  it('take a timestamp where all together are likelier than any word', () => {
    const unsure = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [time(3) + i, -1]));
    expect(allowed([time(0), 1], unsure).every((token) => token >= tokens.firstTimestamp)).toBe(true);
  });

  it('ask in a language only where the model has languages', () => {
    expect(openingTokens(part, 'de', 'translate')).toEqual([11, 18, 12]);
    expect(openingTokens({ tokens: { ...tokens, languages: {} } }, 'en', 'transcribe')).toEqual([11]);
  });
});

describe('a window’s text', () => {
  it('is cut at its timestamps', () => {
    const written = [time(0), 1, 2, time(2), time(2.5), 3, time(4)];
    expect(splitAtTimestamps(written, part, 30)).toEqual({
      segments: [
        { start: 0, end: 2, tokens: [1, 2] },
        { start: 2.5, end: 4, tokens: [3] },
      ],
      unfinished: null,
      heardSeconds: 30,
    });
  });

  it('that ends within a sentence is to be heard again from its beginning', () => {
    const cut = splitAtTimestamps([time(0), 1, time(27), time(27), 2], part, 30);
    expect(cut.heardSeconds).toBe(27);
    expect(cut.unfinished).toEqual({ start: 27, end: 30, tokens: [2] });
    expect(splitAtTimestamps([time(0), 1, time(27), time(28)], part, 30).heardSeconds).toBe(28);
  });

  it('never reaches beyond the sound', () => {
    expect(splitAtTimestamps([time(0), 1, time(7)], part, 5).segments[0]?.end).toBe(5);
  });
});
