import { describe, expect, it } from 'vitest';
import { halfToFloat32 } from '../../../native-models/formats/half-precision.ts';
import { float32ToHalf } from '../../../native-models/published/float32-to-half.ts';

describe('half precision', () => {
  it('comes back as it was, every one of its numbers', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const numbers = all.filter((bits) => (bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0);
    expect(float32ToHalf(halfToFloat32(numbers))).toEqual(numbers);
  });

  it('is the nearest number, of two as near the even one', () => {
    const near = (value: number) => halfToFloat32(float32ToHalf(Float32Array.of(value)))[0];
    expect(near(1 + 2 ** -11)).toBe(1);
    expect(near(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(near(1 + 2 ** -11 + 2 ** -20)).toBe(1 + 2 ** -10);
    expect(near(65_519)).toBe(65_504);
    expect(near(65_520)).toBe(Number.POSITIVE_INFINITY);
    expect(near(2 ** -25)).toBe(0);
    expect(near(1.5 * 2 ** -25)).toBe(2 ** -24);
    expect(near(Number.NaN)).toBeNaN();
  });
});
