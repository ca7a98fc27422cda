import { expect, it } from 'vitest';
import { halfToFloat32 } from '../../../native-models/formats/half-precision.ts';
import { toHalf } from '../../../native-models/layers/forms/to-half.ts';

it('every finite half is its own nearest half', () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits).filter(
    (bits) => (bits & 0x7c00) < 0x7c00,
  );
  expect(Uint16Array.from(halfToFloat32(all), toHalf)).toEqual(all);
});

it('between two halves, the nearer one, and of equally near ones the even one', () => {
  const one = 0x3c00;
  const step = 2 ** -10;
  expect(toHalf(1 + 0.49 * step)).toBe(one);
  expect(toHalf(1 + 0.51 * step)).toBe(one + 1);
  expect(toHalf(1 + 0.5 * step)).toBe(one);
  expect(toHalf(1 + 1.5 * step)).toBe(one + 2);
  expect(toHalf(-(2 - 0.1 * step))).toBe(0xc000);
});

it('below the least and above the largest there is nothing else', () => {
  expect(toHalf(2 ** -26)).toBe(0);
  expect(toHalf(-0)).toBe(0x8000);
  expect(toHalf(1.5 * 2 ** -25)).toBe(1);
  expect(toHalf(1e6)).toBe(0x7bff);
  expect(toHalf(-65_520)).toBe(0xfbff);
});
