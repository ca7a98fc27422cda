import { expect, test } from 'vitest';
import { withCleanEdges } from '../../../../src-main/engine/speaking/edges.ts';

const tone = (samples: number): Float32Array =>
  Float32Array.from({ length: samples }, (_, at) => 0.5 * Math.cos((2 * Math.PI * 200 * at) / 24_000));

test('silence is trimmed, edges are at zero, and the pause is behind', () => {
  const raw = new Float32Array(24_000);
  raw.set(tone(12_000), 6_000);
  const piece = withCleanEdges(raw, 0.1);
  expect(piece.length).toBeGreaterThan(12_000 + 2_400);
  expect(piece.length).toBeLessThan(12_000 + 2_400 + 4_000);
  expect(piece[0]).toBe(0);
  expect([...piece.subarray(-2_400)].every((sample) => sample === 0)).toBe(true);
});

test('sound up to the very edge fades instead of clicking', () => {
  const piece = withCleanEdges(tone(2_400), 0);
  expect(Math.abs(piece[0] ?? 1)).toBe(0);
  expect(Math.abs(piece.at(-1) ?? 1)).toBe(0);
  expect(Math.abs(piece[1_200] ?? 0)).toBeGreaterThan(0.1);
});

test('silence is no sound at all', () => {
  expect(withCleanEdges(new Float32Array(1_000), 0.2)).toHaveLength(0);
});
