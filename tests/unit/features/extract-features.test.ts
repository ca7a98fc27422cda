import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../native-models/errors.ts';
import { extractFeatures } from '../../../native-models/features/extract-features.ts';
import {
  type FeatureSettings,
  featureSettingsSchema,
} from '../../../native-models/features/feature-settings.ts';

const kaldi = {
  kind: 'kaldi-fbank',
  sampleRate: 16000,
  mels: 80,
  window: 'povey',
  amplitude: 32768,
  preemphasis: 0.97,
  lowHertz: 20,
  highHertz: 8000,
  mean: 0,
  deviation: 1,
} as const;
const nemo = { kind: 'nemo-log-mel', sampleRate: 16000, mels: 80 } as const;
const whisper = { kind: 'whisper-log-mel', sampleRate: 16000, fftSize: 400, hop: 160, mels: 80 } as const;

/** Settings, the samples of the shortest clip that makes a frame, and the samples that each further frame takes. */
const kinds: readonly [FeatureSettings, number][] = [
  [kaldi, 400],
  [nemo, 160],
  [whisper, 160],
];

describe('features', () => {
  it.each(kinds)('of kind $kind come every 10 ms, once a clip is long enough', (settings, shortest) => {
    // NeMo's end with a frame that does not count.
    const more = settings.kind === 'nemo-log-mel' ? 1 : 0;
    const framesOf = (samples: number) =>
      extractFeatures(new Float32Array(samples).fill(0.1), settings).frames - more;
    expect([shortest, shortest + 159, shortest + 160, shortest + 1600].map(framesOf)).toEqual([1, 1, 2, 11]);
    for (const samples of [0, shortest - 1]) expect(() => framesOf(samples)).toThrow(ModelError);
  });

  it.each(kinds)(
    'of kind $kind are finite for silence, a steady voltage, the loudest and the faintest sound',
    (settings) => {
      for (const value of [0, 1, -1, 1e-30]) {
        const { data, mels, frames } = extractFeatures(new Float32Array(4000).fill(value), settings);
        expect(data).toHaveLength(mels * frames);
        expect(data.every(Number.isFinite)).toBe(true);
      }
    },
  );

  it('of a clip do not hang on what was extracted before', () => {
    const clip = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i * i * 1e-4));
    for (const [settings] of kinds) {
      const once = extractFeatures(clip, settings).data;
      extractFeatures(new Float32Array(5000).fill(1), settings);
      expect(extractFeatures(clip, settings).data).toEqual(once);
    }
  });

  it('are shifted and scaled as the encoder was trained', () => {
    const clip = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i * 0.3));
    const plain = extractFeatures(clip, kaldi).data;
    const shifted = extractFeatures(clip, { ...kaldi, mean: 4, deviation: 2 }).data;
    expect(shifted[100]).toBeCloseTo(((plain[100] ?? 0) - 4) / 2, 5);
  });
});

describe('settings of features from a foreign manifest', () => {
  it.each([
    ['kind', { ...nemo, kind: 'mfcc' }],
    ['mels', { ...nemo, mels: 1e9 }],
    ['mels', { ...kaldi, mels: 0 }],
    ['sampleRate', { ...kaldi, sampleRate: 8000 }],
    ['deviation', { ...kaldi, deviation: 0 }],
    ['highHertz', { ...kaldi, highHertz: 9000 }],
    ['window', { ...kaldi, window: 'boxcar' }],
    ['amplitude', { ...kaldi, amplitude: Number.POSITIVE_INFINITY }],
  ])('are refused with %s at fault', (field, settings) => {
    const parsed = featureSettingsSchema.safeParse(settings);
    expect(parsed.error?.issues[0]?.path).toEqual([field]);
  });
});
