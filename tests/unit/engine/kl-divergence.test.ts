import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { klDivergence } from '../../../src-main/engine/kl-divergence.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/evaluation/golden.json', import.meta.url), 'utf8'),
);

it('is that of the definition, and nought between equal rows', () => {
  const [p, q] = golden.probabilities.logits.map((row: number[]) => Float32Array.from(row));
  expect(klDivergence(p, q)).toBeCloseTo(golden.probabilities.kl, 5);
  expect(klDivergence(p, p)).toBe(0);
  expect(klDivergence(Float32Array.of(0, -Infinity), Float32Array.of(0, 0))).toBeCloseTo(Math.LN2, 6);
});
