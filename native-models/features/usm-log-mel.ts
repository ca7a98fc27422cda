import type { UsmLogMelSettings } from './feature-settings.ts';
import type { Features } from './features.ts';
import { forEachSpectrum, requireFrames } from './frames.ts';
import { bandEnergy, melBands } from './mel-bands.ts';
import { htkScale } from './mel-scale.ts';
import { cosineWindow } from './windows.ts';

const frameSamples = 512;
const fftSize = 1024;
const hop = 160;
/** Clips are filled with silence to a multiple of this. */
const unitSamples = 128;

/**
 * The features of Universal Speech Models, as Gemma 3n reads them (Gemma3nAudioFeatureExtractor): frames of 32 ms every 10 ms, none
 * beyond the edges, pre-emphasis within each frame after HTK, magnitudes of a transform twice as long, HTK bands between two
 * frequencies, natural logarithm. A frame needs one sample behind it. Gives 1 + floor((padded − 513) / 160) frames.
 */
export function usmLogMel(samples: Float32Array, settings: UsmLogMelSettings): Features {
  const { mels, preemphasis, lowHertz, highHertz, sampleRate, floor } = settings;
  const padded = Math.ceil(samples.length / unitSamples) * unitSamples;
  const frames = Math.max(0, 1 + Math.floor((padded - frameSamples - 1) / hop));
  requireFrames(samples, frames, frameSamples + 1);
  const scale = { scale: htkScale, lowHertz, highHertz, slopes: 'hertz', height: 'one' } as const;
  const bands = melBands({ fftSize, sampleRate, mels, ...scale });
  const window = cosineWindow('hann', frameSamples, 'periodic');
  const cut = (frame: number, into: Float64Array) => {
    const start = frame * hop;
    let before = samples[start] ?? 0;
    for (let i = 0; i < frameSamples; i++) {
      const sample = samples[start + i] ?? 0;
      into[i] = (sample - preemphasis * before) * (window[i] ?? 0);
      before = sample;
    }
  };
  const data = new Float32Array(mels * frames);
  const magnitudes = new Float64Array(fftSize / 2 + 1);
  forEachSpectrum({ fftSize, frames, cut }, (spectrum, frame) => {
    for (let bin = 0; bin < magnitudes.length; bin++) magnitudes[bin] = Math.sqrt(spectrum[bin] ?? 0);
    bands.forEach((band, mel) => {
      data[mel * frames + frame] = Math.log(Math.max(bandEnergy(band, magnitudes), floor));
    });
  });
  return { data, mels, frames };
}
