import { setImmediate } from 'node:timers/promises';
import libsamplerate from '@alexanderolsen/libsamplerate-js';

/** What every part of the engine hears, samples per second. */
export const engineSampleRate = 16000;

/** Frames given to the converter at once: short enough that a window stays smooth while an hour is converted. */
const pieceFrames = 32768;

/** Silence after the end, in seconds: longer than the filter, so that it gives out the last samples. */
const tailSeconds = 0.05;

/**
 * Mono sound at another rate → 16 kHz, through libsamplerate's medium sinc converter: 121 dB of signal over noise, and
 * nothing above 8 kHz folds back. The result has as many samples as the sound's length says.
 */
export async function resample(samples: Float32Array, sampleRate: number): Promise<Float32Array> {
  if (sampleRate === engineSampleRate) return samples;
  const converter = await libsamplerate.create(1, sampleRate, engineSampleRate, {
    converterType: libsamplerate.ConverterType.SRC_SINC_MEDIUM_QUALITY,
  });
  try {
    const result = new Float32Array(Math.round((samples.length * engineSampleRate) / sampleRate));
    const ended = samples.length + Math.ceil(tailSeconds * sampleRate);
    let written = 0;
    for (let start = 0; start < ended && written < result.length; start += pieceFrames) {
      const piece = new Float32Array(Math.min(pieceFrames, ended - start));
      piece.set(samples.subarray(start, start + piece.length));
      const converted = converter.full(piece).subarray(0, result.length - written);
      result.set(converted, written);
      written += converted.length;
      await setImmediate();
    }
    return result;
  } finally {
    converter.destroy();
  }
}
