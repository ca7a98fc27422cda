import { describe, expect, it } from 'vitest';
import { answerReserve, firstKeptTurn } from '../../../src-main/engine/prompt/context-window.ts';
import { commonPrefix, positionsOf } from '../../../src-main/engine/prompt/sequence.ts';

const clip = (audio: string, positions: number) => ({ audio, positions });

describe('what two prompts share', () => {
  it('is counted unit by unit, a clip as one', () => {
    const kept = [1, 2, clip('a', 40), 3];
    expect(commonPrefix(kept, [1, 2, clip('a', 40), 3, 4])).toBe(4);
    expect(commonPrefix(kept, [1, 2, clip('b', 40), 3])).toBe(2);
    expect(commonPrefix(kept, [1, 2, clip('a', 41)])).toBe(2);
    expect(commonPrefix(kept, [1, 2, 3])).toBe(2);
    expect(commonPrefix([], kept)).toBe(0);
  });

  it('has as many positions as tokens and vectors', () => {
    expect(positionsOf([7, clip('a', 40), 8])).toBe(42);
  });
});

describe('a conversation that outgrows the context', () => {
  const turn = (positions: number, index: number) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    positions,
  });
  const turns = (count: number, positions = 10) =>
    Array.from({ length: count }, (_, index) => turn(positions, index));

  it('keeps everything while it fits', () => {
    expect(firstKeptTurn(turns(9), 90)).toBe(0);
  });

  it('loses the oldest questions with their answers, never the last turn', () => {
    expect(firstKeptTurn(turns(11), 100)).toBe(4);
    expect(firstKeptTurn([turn(10, 0), turn(10, 1), turn(500, 2)], 100)).toBe(2);
    expect(firstKeptTurn([turn(500, 0)], 100)).toBe(0);
  });

  it('keeps the same turns for several questions, so that their keys and values stay of use', () => {
    const firsts = [11, 13, 15].map((count) => firstKeptTurn(turns(count), 100));
    expect(firsts.slice(0, 1)).toEqual([4]);
    expect(new Set(firsts).size).toBeLessThan(3);
  });

  it('leaves room for the answer, at most a quarter of the context', () => {
    expect(answerReserve(100, 8192)).toBe(100);
    expect(answerReserve(8192, 8192)).toBe(2048);
  });
});
