import { sampleRate } from './wav.ts';

/** Quieter than a 16-bit sample can say. */
const quietestDb = -96;
const frameSamples = (sampleRate * 30) / 1000;

export interface Loudness {
  /** Level of the loudest 30 ms, dB of full scale. */
  readonly loudestDb: number;
  /** Level that a tenth of the clip stays under: its background. */
  readonly backgroundDb: number;
}

/** How loud a clip gets and how quiet its background is (root mean square of 30 ms frames). */
export function loudness(samples: Float32Array): Loudness {
  const levels: number[] = [];
  for (let start = 0; start < samples.length; start += frameSamples)
    levels.push(frameLevelDb(samples, start, Math.min(samples.length, start + frameSamples)));
  levels.sort((a, b) => a - b);
  return {
    loudestDb: levels.at(-1) ?? quietestDb,
    backgroundDb: levels[Math.floor(levels.length / 10)] ?? quietestDb,
  };
}

/** Root mean square of samples [start, end) in dB of full scale, no lower than -96. */
export function frameLevelDb(samples: Float32Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += (samples[i] ?? 0) ** 2;
  return Math.max(quietestDb, 10 * Math.log10(sum / Math.max(1, end - start)));
}
