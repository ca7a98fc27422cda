import { describe, expect, it } from 'vitest';
import { Sampler } from '../../../src-main/engine/sampler.ts';

const greedy = { temperature: 0, topP: 1, repetitionPenalty: 1, seed: 0 };
const logits = () => Float32Array.from([1, 3, 2, -1]);

describe('choosing the next token', () => {
  it('takes the likeliest at temperature 0, the first of equals', () => {
    expect(new Sampler(greedy).next(logits(), [])).toBe(1);
    expect(new Sampler(greedy).next(Float32Array.from([2, 5, 5]), [])).toBe(1);
  });

  it('draws the same tokens for the same seed, and others for another', () => {
    const drawn = (seed: number) => {
      const sampler = new Sampler({ ...greedy, temperature: 1, seed });
      return Array.from({ length: 40 }, () => sampler.next(logits(), []));
    };
    expect(drawn(4)).toEqual(drawn(4));
    expect(drawn(4)).not.toEqual(drawn(5));
  });

  it('draws each token as often as its probability says', () => {
    const sampler = new Sampler({ ...greedy, temperature: 1, seed: 1 });
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) {
      const token = sampler.next(logits(), []);
      counts[token] = (counts[token] ?? 0) + 1;
    }
    const weights = [...logits()].map(Math.exp);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    counts.forEach((count, token) => {
      expect(count / 20_000).toBeCloseTo((weights[token] ?? 0) / total, 1.8);
    });
  });

  it('never draws outside the nucleus', () => {
    // Probabilities 0.66, 0.24, 0.09, 0.01: the first two reach 0.85.
    const sampler = new Sampler({ ...greedy, temperature: 1, topP: 0.85, seed: 2 });
    const drawn = new Set(Array.from({ length: 2000 }, () => sampler.next(logits(), [])));
    expect([...drawn].toSorted()).toEqual([1, 2]);
  });

  it('makes tokens that stand in the answer less likely, whatever their sign', () => {
    const sampler = new Sampler({ ...greedy, repetitionPenalty: 2 });
    expect(sampler.next(logits(), [1])).toBe(2);
    expect(sampler.next(Float32Array.from([-1, -1.5]), [0, 0])).toBe(1);
    expect(sampler.next(logits(), [99])).toBe(1);
  });
});
