import type { KaldiFbankSettings } from './feature-settings.ts';
import type { Features } from './features.ts';
import { forEachSpectrum, requireFrames } from './frames.ts';
import { bandEnergy, melBands } from './mel-bands.ts';
import { kaldiScale } from './mel-scale.ts';
import { cosineWindow } from './windows.ts';

const frameSamples = 400;
const hop = 160;
const fftSize = 512;
/** Kaldi's floor under a logarithm: the distance of 1 to the next larger number in single precision. */
const floor = 2 ** -23;

/**
 * Kaldi's filter bank without dither (`compute-fbank-feats`; torchaudio.compliance.kaldi.fbank): frames of 25 ms every 10 ms, each
 * freed of its mean, pre-emphasised and windowed; power; bands between two frequencies; natural logarithm; then the encoder's own
 * shift and scale. Gives 1 + floor((samples − 400) / 160) frames: what does not fill a frame is left.
 */
export function kaldiFbank(samples: Float32Array, settings: KaldiFbankSettings): Features {
  const { mels, mean, deviation } = settings;
  const frames = Math.max(0, 1 + Math.floor((samples.length - frameSamples) / hop));
  requireFrames(samples, frames, frameSamples);
  const { sampleRate, lowHertz, highHertz } = settings;
  const scale = { scale: kaldiScale, lowHertz, highHertz, slopes: 'mel', height: 'one' } as const;
  const bands = melBands({ fftSize, sampleRate, mels, ...scale });
  const window = cosineWindow(settings.window, frameSamples, 'symmetric');
  const cut = (frame: number, into: Float64Array) => cutFrame(samples, frame * hop, settings, window, into);
  const data = new Float32Array(mels * frames);
  forEachSpectrum({ fftSize, frames, cut }, (spectrum, frame) => {
    bands.forEach((band, mel) => {
      const level = Math.log(Math.max(bandEnergy(band, spectrum), floor));
      data[mel * frames + frame] = (level - mean) / deviation;
    });
  });
  return { data, mels, frames };
}

function cutFrame(
  samples: Float32Array,
  start: number,
  { amplitude, preemphasis }: KaldiFbankSettings,
  window: Float64Array,
  into: Float64Array,
): void {
  let sum = 0;
  for (let i = 0; i < frameSamples; i++) sum += amplitude * (samples[start + i] ?? 0);
  const average = sum / frameSamples;
  // The first sample of a frame is taken to follow itself.
  let before = amplitude * (samples[start] ?? 0) - average;
  for (let i = 0; i < frameSamples; i++) {
    const value = amplitude * (samples[start + i] ?? 0) - average;
    into[i] = (value - preemphasis * before) * (window[i] ?? 0);
    before = value;
  }
}
