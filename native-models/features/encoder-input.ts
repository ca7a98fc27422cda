import type { z } from 'zod';
import type { paddingSchema } from '../bundles/manifest.ts';

/** How a clip is filled with silence before an encoder hears it. */
export type Padding = z.infer<typeof paddingSchema>;

const sampleRate = 16_000;
/** What a clip is filled to by `30s`, unless the encoder reads less at once: Whisper's window. */
const usualWindow = 30 * sampleRate;
/** SALMONN's way with short clips: its second encoder hears a second at least. */
const shortestForSecond = sampleRate;

export interface EncoderLimits {
  /** Positions that it reads at once; null where it has no limit. */
  readonly maxPositions: number | null;
  readonly framesPerSecond: number;
  /** Clips are filled with silence to a multiple of this many samples. */
  readonly unitSamples: number;
}

/** Samples at 16 kHz that an encoder reads at once; null where it has no limit. */
export function mostSamples({ maxPositions, framesPerSecond }: EncoderLimits): number | null {
  return maxPositions === null ? null : Math.round((maxPositions / framesPerSecond) * sampleRate);
}

/**
 * Fills or cuts a clip to what an encoder is fed: a whole window, or a short tail of silence and a round length, so that a short
 * clip costs a short encoding.
 */
export function encoderInput(samples: Float32Array, padding: Padding, encoder: EncoderLimits): Float32Array {
  const most = mostSamples(encoder) ?? Number.POSITIVE_INFINITY;
  const wanted =
    padding.kind === '30s'
      ? Math.max(usualWindow, rounded(samples.length, encoder.unitSamples))
      : rounded(samples.length + Math.trunc(padding.tailSeconds * sampleRate), padding.unitSamples);
  return filled(samples, Math.min(most, wanted));
}

/**
 * What a second encoder hears of a clip beside the first: no silence but what makes up a second of sound and whole frames, and
 * no more than the first one reads.
 */
export function secondEncoderInput(
  samples: Float32Array,
  first: EncoderLimits,
  second: EncoderLimits,
): Float32Array {
  const heard = samples.subarray(0, mostSamples(first) ?? samples.length);
  const wanted = rounded(Math.max(heard.length, shortestForSecond), second.unitSamples);
  return filled(heard, Math.min(mostSamples(second) ?? wanted, wanted));
}

function rounded(samples: number, unit: number): number {
  return Math.ceil(samples / unit) * unit;
}

function filled(samples: Float32Array, length: number): Float32Array {
  const input = new Float32Array(length);
  input.set(samples.subarray(0, length));
  return input;
}
