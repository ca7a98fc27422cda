import { expect, test } from 'vitest';
import { resample } from '../../../src-main/voice/resample.ts';
import { rms, tone } from '../../fixtures/voice/tones.ts';

/** Without the filter's run-in and run-out. */
const inner = (samples: Float32Array) => samples.subarray(500, -500);

test('1 kHz stays what it was when 48 kHz become 16 kHz: level and place in time', async () => {
  const result = inner(await resample(tone(1000, 1, 48000), 48000));
  const expected = inner(tone(1000, 1));
  expect(result.length).toBe(expected.length);
  expect(rms(result.map((sample, place) => sample - (expected[place] ?? 0)))).toBeLessThan(1e-5);
});

test('10 kHz, which 16 kHz cannot carry, is gone and does not fold back', async () => {
  expect(rms(inner(await resample(tone(10_000, 1, 48000), 48000)))).toBeLessThan(1e-5);
});

test('a minute has its length to the sample, and its end is there', async () => {
  const result = await resample(tone(440, 60, 44100), 44100);
  expect(result.length).toBe(60 * 16000);
  expect(rms(result.subarray(-1600))).toBeCloseTo(0.3536, 2);
});

test('nothing is changed at 16 kHz', async () => {
  const sound = tone(440, 0.1);
  expect(await resample(sound, 16000)).toBe(sound);
});
