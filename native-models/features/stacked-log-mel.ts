import type { StackedLogMelSettings } from './feature-settings.ts';
import type { Features } from './features.ts';
import { cutMirrored, forEachSpectrum, requireFrames } from './frames.ts';
import { bandEnergy, melBands } from './mel-bands.ts';
import { htkScale } from './mel-scale.ts';
import { cosineWindow } from './windows.ts';

const fftSize = 512;
const windowSamples = 400;
const hop = 160;

/**
 * Granite Speech's features (GraniteSpeechFeatureExtractor; torchaudio's MelSpectrogram): a Hann window of 25 ms in the middle of
 * each frame of 512, reflected edges, power, HTK bands, log10 no lower than 8 below the clip's maximum, then x / 4 + 1; two frames
 * of 10 ms stand on one another, a last odd one is left. Gives [2·mels, floor((1 + floor(samples / 160)) / 2)].
 */
export function stackedLogMel(samples: Float32Array, { sampleRate, mels }: StackedLogMelSettings): Features {
  const single = 1 + Math.floor(samples.length / hop);
  const frames = single >> 1;
  requireFrames(samples, frames, hop);
  const bands = melBands({ fftSize, sampleRate, mels, scale: htkScale, slopes: 'hertz', height: 'one' });
  const window = new Float64Array(fftSize);
  window.set(cosineWindow('hann', windowSamples, 'periodic'), (fftSize - windowSamples) / 2);
  const cut = (frame: number, into: Float64Array) =>
    cutMirrored(samples, frame * hop - fftSize / 2, window, into);
  const data = new Float32Array(2 * mels * frames);
  let loudest = -Infinity;
  forEachSpectrum({ fftSize, frames: single, cut }, (spectrum, frame) => {
    bands.forEach((band, mel) => {
      const level = Math.log10(Math.max(bandEnergy(band, spectrum), 1e-10));
      // The odd frame counts for the maximum, though it is left.
      if (level > loudest) loudest = level;
      if (frame < 2 * frames) data[((frame & 1) * mels + mel) * frames + (frame >> 1)] = level;
    });
  });
  const floor = loudest - 8;
  for (let i = 0; i < data.length; i++) data[i] = Math.max(data[i] ?? 0, floor) / 4 + 1;
  return { data, mels: 2 * mels, frames };
}
