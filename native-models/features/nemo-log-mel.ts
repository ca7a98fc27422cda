import type { NemoLogMelSettings } from './feature-settings.ts';
import type { Features } from './features.ts';
import { forEachSpectrum, requireFrames } from './frames.ts';
import { bandEnergy, melBands } from './mel-bands.ts';
import { slaneyScale } from './mel-scale.ts';
import { cosineWindow } from './windows.ts';

const windowSamples = 400;
const hop = 160;
const fftSize = 512;
const preemphasis = 0.97;
/** Keeps silence finite under the logarithm. */
const zeroGuard = 2 ** -24;
/** Keeps a band that never changes finite under the division. */
const deviationGuard = 1e-5;

/**
 * NeMo's log-mel (AudioToMelSpectrogramPreprocessor; ParakeetFeatureExtractor): pre-emphasis over the whole clip, a symmetric Hann
 * window of 25 ms in the middle of each frame of 512, silence beyond the edges, power, Slaney's bands, natural logarithm; then each
 * band of the clip gets mean 0 and, counted with n − 1, deviation 1. Gives floor(samples / 160) frames of sound, and after them one
 * of zeros, which the originals hand over as masked.
 */
export function nemoLogMel(samples: Float32Array, { sampleRate, mels }: NemoLogMelSettings): Features {
  const frames = Math.floor(samples.length / hop);
  requireFrames(samples, frames, hop);
  const scale = { scale: slaneyScale, slopes: 'hertz', height: 'equal-area' } as const;
  const bands = melBands({ fftSize, sampleRate, mels, ...scale });
  const window = cosineWindow('hann', windowSamples, 'symmetric');
  const margin = (fftSize - windowSamples) / 2;
  const cut = (frame: number, into: Float64Array) => {
    const start = frame * hop - windowSamples / 2;
    for (let i = 0; i < windowSamples; i++)
      into[margin + i] = emphasised(samples, start + i) * (window[i] ?? 0);
  };
  const row = frames + 1;
  const data = new Float32Array(mels * row);
  forEachSpectrum({ fftSize, frames, cut }, (spectrum, frame) => {
    bands.forEach((band, mel) => {
      data[mel * row + frame] = Math.log(bandEnergy(band, spectrum) + zeroGuard);
    });
  });
  for (let mel = 0; mel < mels; mel++) normalise(data.subarray(mel * row, mel * row + frames));
  return { data, mels, frames: row };
}

function emphasised(samples: Float32Array, index: number): number {
  if (index < 0 || index >= samples.length) return 0;
  return (samples[index] ?? 0) - preemphasis * (samples[index - 1] ?? 0);
}

/** A single frame has no deviation: it becomes zero. */
function normalise(band: Float32Array): void {
  let sum = 0;
  for (const value of band) sum += value;
  const mean = sum / band.length;
  let squares = 0;
  for (const value of band) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(1, band.length - 1));
  for (let i = 0; i < band.length; i++) band[i] = ((band[i] ?? 0) - mean) / (deviation + deviationGuard);
}
