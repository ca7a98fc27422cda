import { describe, expect, it } from 'vitest';
import { encoderInput } from '../../../native-models/features/encoder-input.ts';
import { logMel } from '../../../native-models/features/whisper-log-mel.ts';
import { clip, golden, goldenTensors } from './golden.ts';

const settings = { kind: 'whisper-log-mel', sampleRate: 16000, fftSize: 400, hop: 160, mels: 80 } as const;
const whisper = { maxPositions: 1500, framesPerSecond: 50, unitSamples: 320 };
const shortPadding = { kind: 'none', tailSeconds: 0.3, unitSamples: 2560 } as const;

describe("Whisper's features", () => {
  it('equal those of the reference extractor within 1e-4 on recorded speech', () => {
    const { data, mels, frames } = logMel(encoderInput(clip(), shortPadding, whisper), settings);
    expect([mels, frames]).toEqual([80, golden.frames]);
    const expected = goldenTensors().tensor('features');
    const [, sampled = 0] = expected.shape;
    let largest = 0;
    expected.float32().forEach((value, i) => {
      const mel = Math.floor(i / sampled);
      const frame = (i % sampled) * 8;
      largest = Math.max(largest, Math.abs(value - (data[mel * frames + frame] ?? Number.NaN)));
    });
    expect(largest).toBeLessThan(1e-4);
  });

  it('take a clip of any length from one hop on, and of any content, without a NaN', () => {
    for (const length of [160, 161, 199, 200, 201, 399, 1601])
      for (const value of [0, 1, -1e-30]) {
        const { data, frames } = logMel(new Float32Array(length).fill(value), settings);
        expect(frames).toBe(Math.floor(length / 160));
        expect(data.every(Number.isFinite)).toBe(true);
      }
    expect(() => logMel(new Float32Array(159), settings)).toThrow(/shorter than one frame/);
  });

  it('of 128 bands have the loudest one where a tone is', () => {
    const tone = Float32Array.from({ length: 16000 }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / 16000));
    const { data, frames } = logMel(tone, { ...settings, mels: 128 });
    const middle = Array.from({ length: 128 }, (_, mel) => data[mel * frames + 50] ?? 0);
    // 1000 Hz is mel 15 of 45.245: band 15 / 45.245 · 129 − 1
    expect(middle.indexOf(Math.max(...middle))).toBe(42);
  });
});

describe('a clip', () => {
  it('is filled to 30 s, or to its tail and a round length, and never beyond 30 s', () => {
    const one = new Float32Array(16000).fill(1);
    expect(encoderInput(one, { kind: '30s' }, whisper)).toHaveLength(480_000);
    const short = encoderInput(one, shortPadding, whisper);
    expect(short).toHaveLength(23_040);
    expect(short.lastIndexOf(1)).toBe(15_999);
    expect(encoderInput(new Float32Array(600_000), { kind: '30s' }, whisper)).toHaveLength(480_000);
    expect(encoderInput(new Float32Array(479_999), shortPadding, whisper)).toHaveLength(480_000);
  });
});
