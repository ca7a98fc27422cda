import { describe, expect, it } from 'vitest';
import { extractFeatures } from '../../../native-models/features/extract-features.ts';
import type { FeatureSettings } from '../../../native-models/features/feature-settings.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { syntheticClip } from '../../fixtures/encoders/clip.ts';

const whisper = { kind: 'whisper-log-mel', sampleRate: 16000, fftSize: 400, hop: 160 } as const;
const nemo = { kind: 'nemo-log-mel', sampleRate: 16000 } as const;
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

const originals: readonly [string, string, FeatureSettings, number][] = [
  ['whisper80', "transformers' WhisperFeatureExtractor", { ...whisper, mels: 80 }, 57],
  ['whisper128', "transformers' WhisperFeatureExtractor, 128 bands", { ...whisper, mels: 128 }, 57],
  ['nemo80', "transformers' ParakeetFeatureExtractor", { ...nemo, mels: 80 }, 58],
  ['nemo128', "transformers' ParakeetFeatureExtractor, 128 bands", { ...nemo, mels: 128 }, 58],
  ['kaldi80', "torchaudio's kaldi.fbank", kaldi, 56],
  ['beats', "BEATs' preprocess", { ...kaldi, mels: 128, mean: 15.41663, deviation: 2 * 6.55582 }, 56],
  [
    'kaldiHamming',
    "torchaudio's kaldi.fbank with a Hamming window and other edges",
    {
      ...kaldi,
      mels: 40,
      window: 'hamming',
      amplitude: 1,
      preemphasis: 0.9,
      lowHertz: 64,
      highHertz: 7600,
    },
    56,
  ],
];

describe('features of a synthetic clip', () => {
  it.each(originals)('%s: as %s', (name, _, settings, count) => {
    const { data, mels, frames } = extractFeatures(syntheticClip(), settings);
    const [wanted, largest] = golden(name);
    expect([mels, frames]).toEqual([settings.mels, count]);
    const kept = Math.ceil(frames / 17);
    expect(wanted.length).toBe(mels * kept);
    const worst = wanted.reduce((most, value, i) => {
      const [mel, frame] = [Math.floor(i / kept), (i % kept) * 17];
      return Math.max(most, Math.abs(value - (data[mel * frames + frame] ?? Number.NaN)));
    }, 0);
    expect(worst / largest).toBeLessThan(1e-4);
  });
});

function golden(name: string): [Float32Array, number] {
  const file = new Safetensors(
    new URL('../../fixtures/encoders/features.safetensors', import.meta.url).pathname,
  );
  try {
    const values = file.tensor(name).float32();
    return [values, values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)];
  } finally {
    file.close();
  }
}
