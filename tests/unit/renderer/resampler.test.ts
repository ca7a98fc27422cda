import { describe, expect, test } from 'vitest';
import { Resampler } from '../../../src-renderer/services/resampler.ts';

const seconds = 0.5;
const tone = (frequency: number, rate: number) =>
  Float32Array.from({ length: rate * seconds }, (_, index) =>
    Math.sin((2 * Math.PI * frequency * index) / rate),
  );

/** As the browser hands it over: 128 samples at a time. */
function resampled(input: Float32Array, from: number, to: number): number[] {
  const resampler = new Resampler(from, to);
  const output: number[] = [];
  for (let at = 0; at < input.length; at += 128) output.push(...resampler.push(input.slice(at, at + 128)));
  return output;
}

/** Away from the ends, where the kernel sees silence. */
const inner = (samples: ArrayLike<number>) => Array.from(samples).slice(200, -200);

describe.each([48000, 44100, 96000, 8000])('from %i Hz to 16 kHz', (rate) => {
  test('speech keeps its pitch, its loudness and its time', () => {
    const output = resampled(tone(1000, rate), rate, 16000);
    const expected = tone(1000, 16000);
    expect(Math.abs(output.length - expected.length)).toBeLessThan(40);
    const worst = inner(output).reduce(
      (most, sample, index) => Math.max(most, Math.abs(sample - (expected[index + 200] ?? 0))),
      0,
    );
    expect(worst).toBeLessThan(0.002);
  });
});

test('what 16 kHz cannot hold is removed, not folded into the speech', () => {
  const output = resampled(tone(11_000, 48000), 48000, 16000);
  expect(Math.max(...inner(output).map(Math.abs))).toBeLessThan(0.001);
});
