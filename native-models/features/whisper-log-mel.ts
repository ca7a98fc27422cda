import type { WhisperLogMelSettings } from './feature-settings.ts';
import type { Features } from './features.ts';
import { cutMirrored, forEachSpectrum, requireFrames } from './frames.ts';
import { bandEnergy, melBands } from './mel-bands.ts';
import { slaneyScale } from './mel-scale.ts';
import { cosineWindow } from './windows.ts';

/**
 * Whisper's log-mel features (Whisper, section 2.2): a Hann window of 400, hop 160, reflected edges, power, Slaney mel
 * bands, log10 no lower than 8 below the clip's own maximum, then (x + 4) / 4.
 * Gives floor(samples / 160) frames of 10 ms. Throws `shape-mismatch` on a clip shorter than one hop.
 */
export function logMel(samples: Float32Array, settings: WhisperLogMelSettings): Features {
  const { fftSize, hop, mels, sampleRate } = settings;
  const frames = Math.floor(samples.length / hop);
  requireFrames(samples, frames, hop);
  const window = cosineWindow('hann', fftSize, 'periodic');
  const scale = { scale: slaneyScale, slopes: 'hertz', height: 'equal-area' } as const;
  const bands = melBands({ fftSize, sampleRate, mels, ...scale });
  const cut = (frame: number, into: Float64Array) =>
    cutMirrored(samples, frame * hop - fftSize / 2, window, into);
  const data = new Float32Array(mels * frames);
  let loudest = -Infinity;
  forEachSpectrum({ fftSize, frames, cut }, (spectrum, frame) => {
    bands.forEach((band, mel) => {
      const level = Math.log10(Math.max(bandEnergy(band, spectrum), 1e-10));
      data[mel * frames + frame] = level;
      if (level > loudest) loudest = level;
    });
  });
  const floor = loudest - 8;
  for (let i = 0; i < data.length; i++) data[i] = (Math.max(data[i] ?? 0, floor) + 4) / 4;
  return { data, mels, frames };
}
