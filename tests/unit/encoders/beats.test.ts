import { describe, expect, it } from 'vitest';
import { relativeBucket } from '../../../native-models/architectures/encoders/beats-attention.ts';

/** Where a bucket begins, counted from the query on. */
function firstOf(bucket: number, maxDistance: number): number {
  let distance = 0;
  while (relativeBucket(-distance, 320, maxDistance) < bucket) distance++;
  return distance;
}

describe('the buckets of relative positions', () => {
  it('are one for each of the 80 nearest, on either side', () => {
    for (let distance = 0; distance < 80; distance++) {
      expect(relativeBucket(-distance, 320, 800)).toBe(distance);
      if (distance > 0) expect(relativeBucket(distance, 320, 800)).toBe(160 + distance);
    }
  });

  // What BEATs' own _relative_positions_bucket gives for 320 buckets, where single precision decides.
  it('widen with the logarithm, and end at the largest distance', () => {
    expect([100, 120, 140, 159].map((bucket) => firstOf(bucket, 800))).toEqual([143, 253, 450, 778]);
    expect([100, 120, 140, 159].map((bucket) => firstOf(bucket, 1280))).toEqual([160, 320, 640, 1237]);
    expect([800, 801, 5000].map((distance) => relativeBucket(-distance, 320, 800))).toEqual([159, 159, 159]);
    expect(relativeBucket(5000, 320, 800)).toBe(319);
  });
});
