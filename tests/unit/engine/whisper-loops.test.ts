import { describe, expect, it } from 'vitest';
import { cutLoop, isLoop } from '../../../src-main/engine/whisper/loops.ts';

const sentence = 'Unless to be rather selfish is to be ill-disposed.';

describe('a decoder loop is told from a person who repeats themselves by the time it takes', () => {
  it('a sentence said again and again, each time for as long as it takes, is no loop', () => {
    const said = Array.from({ length: 6 }, () => ({ text: sentence, tokens: 14, seconds: 5 }));
    expect(isLoop(said)).toBe(false);
    const together = Array.from({ length: 6 }, () => sentence).join(' ');
    expect(isLoop([{ text: together, tokens: 84, seconds: 30 }])).toBe(false);
  });

  it('the same within three seconds is one, in one segment or many', () => {
    const together = Array.from({ length: 6 }, () => sentence).join(' ');
    expect(isLoop([{ text: together, tokens: 84, seconds: 3 }])).toBe(true);
    expect(isLoop(Array.from({ length: 6 }, () => ({ text: sentence, tokens: 14, seconds: 0.5 })))).toBe(
      true,
    );
  });

  it('a segment that repeats and does not end is one, however long its window', () => {
    expect(isLoop([{ text: '1.5-'.repeat(60), tokens: 180, seconds: 30 }])).toBe(true);
  });

  it('quick speech that says something new all the time is none', () => {
    const words =
      'Boats drift past the harbour while a clerk counts eleven crates of lemons, quarrels with his uncle, ' +
      'finds the key under some dry straw, and walks home before anybody can ask what the noise was about.';
    expect(isLoop([{ text: words, tokens: 120, seconds: 8 }])).toBe(false);
  });
});

describe('cutting a loop', () => {
  it('keeps what was before it, and its first turn', () => {
    expect(cutLoop([1, 2, 3, 7, 8, 7, 8, 7, 8, 7])).toEqual([1, 2, 3, 7, 8]);
    expect(cutLoop([5, 5, 5, 5])).toEqual([5]);
  });

  it('leaves alone what repeats once, or not at the end', () => {
    expect(cutLoop([1, 2, 1, 2])).toEqual([1, 2, 1, 2]);
    expect(cutLoop([4, 4, 4, 4, 1, 2, 3])).toEqual([4, 4, 4, 4, 1, 2, 3]);
    expect(cutLoop([])).toEqual([]);
  });
});
