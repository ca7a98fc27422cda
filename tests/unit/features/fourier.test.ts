import { describe, expect, it } from 'vitest';
import { PowerSpectrum } from '../../../native-models/features/fourier.ts';
import { someNumbers } from '../graph/run-graph.ts';

describe('the power spectrum', () => {
  it.each([8, 10, 40, 400, 512, 1024])(
    'of %i points is that of the definition, for both frames of a pair',
    (size) => {
      const spectrum = new PowerSpectrum(size);
      const frames = [1, 2].map((seed) => Float64Array.from(someNumbers(size, seed)));
      const [first = new Float64Array(), second = new Float64Array()] = frames;
      const powers = [new Float64Array(spectrum.bins), new Float64Array(spectrum.bins)] as const;
      spectrum.pair(first, second, ...powers);
      frames.forEach((frame, i) => {
        for (const bin of [0, 1, 3, size / 2 - 1, size / 2])
          expect(powers[i]?.[bin]).toBeCloseTo(powerAt(frame, bin), 6);
      });
    },
  );

  it('is refused for a size that is no product of twos and fives', () => {
    for (const size of [6, 14, 402]) expect(() => new PowerSpectrum(size)).toThrow(RangeError);
  });
});

function powerAt(frame: Float64Array, bin: number): number {
  let [real, imaginary] = [0, 0];
  frame.forEach((value, i) => {
    const angle = (2 * Math.PI * bin * i) / frame.length;
    real += value * Math.cos(angle);
    imaginary -= value * Math.sin(angle);
  });
  return real * real + imaginary * imaginary;
}
