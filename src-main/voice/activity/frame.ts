import { engineSampleRate } from '../resample.ts';

/** Samples of one frame: what the model was trained on, 32 ms at 16 kHz. */
export const frameSamples = 512;
export const frameMs = (frameSamples / engineSampleRate) * 1000;

/** What is known of 32 ms of sound. */
export interface ActivityFrame {
  /** That somebody speaks, 0..1. */
  readonly probability: number;
  /** Root mean square, dB of full scale, no lower than -96. */
  readonly loudnessDb: number;
  /** How much the sound repeats itself, 0..1: a held note is near 1, hiss near 0.2. */
  readonly tonality: number;
}

const quietestDb = -96;

/** Periods looked for, in samples: notes from 62 to 500 Hz; a higher one repeats after several of its periods as well. */
const shortestPeriod = 32;
const longestPeriod = 256;

export function loudnessOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.max(quietestDb, 10 * Math.log10(sum / Math.max(1, samples.length)));
}

/** The largest normalised autocorrelation over the periods of notes: 1 for what repeats exactly, 0 for digital silence. */
export function tonalityOf(samples: Float32Array): number {
  let best = 0;
  for (let period = shortestPeriod; period <= longestPeriod; period++) {
    let [product, early, late] = [0, 0, 0];
    // Every second sample is enough to tell a note from hiss, at half the cost.
    for (let at = period; at < samples.length; at += 2) {
      const [now, before] = [samples[at] ?? 0, samples[at - period] ?? 0];
      product += now * before;
      late += now * now;
      early += before * before;
    }
    const energy = Math.sqrt(early * late);
    if (energy > 1e-9) best = Math.max(best, product / energy);
  }
  return Math.min(1, best);
}
