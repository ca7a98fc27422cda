import type { Padding } from './whisper-log-mel.ts';

const sampleRate = 16_000;
/** What a clip is filled to by `30s`, unless the encoder reads less at once: Whisper's window. */
const usualWindowSeconds = 30;

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
 * clip costs a short encoding. Without padding only the encoder's own unit is filled, as for a second encoder, which hears
 * nothing but the clip.
 */
export function encoderInput(
  samples: Float32Array,
  padding: Padding | null,
  encoder: EncoderLimits,
): Float32Array {
  const most = mostSamples(encoder) ?? Number.POSITIVE_INFINITY;
  const padded = new Float32Array(Math.min(most, wantedSamples(samples.length, padding, encoder)));
  padded.set(samples.subarray(0, padded.length));
  return padded;
}

function wantedSamples(given: number, padding: Padding | null, encoder: EncoderLimits): number {
  const rounded = (samples: number, unit: number) => Math.ceil(samples / unit) * unit;
  if (padding === null) return rounded(given, encoder.unitSamples);
  if (padding.kind === '30s')
    return Math.max(usualWindowSeconds * sampleRate, rounded(given, encoder.unitSamples));
  return rounded(given + Math.trunc(padding.tailSeconds * sampleRate), padding.unitSamples);
}
