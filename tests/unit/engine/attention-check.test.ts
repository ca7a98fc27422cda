import { expect, it } from 'vitest';
import { checkAttention } from '../../../src-main/engine/onnxruntime/attention-check.ts';

it('attention that gives the same numbers at once and in pieces may read any count at once', async () => {
  const { agreement, positionsAtOnce } = await checkAttention(
    { heads: 9, kvHeads: 3, headSize: 64 },
    'cpu',
    1,
  );
  expect(agreement).toBeGreaterThan(0.999999);
  expect(positionsAtOnce).toBe(Number.POSITIVE_INFINITY);
});
