import type { Padding } from '../features/encoder-input.ts';
import type { Recipe } from './recipe.ts';

const sampleRate = 16_000;

interface Frames {
  readonly unitSamples: number;
  readonly framesPerSecond: number;
}

interface Wanted {
  /** Encoder frames to a token. */
  readonly stack: number;
  readonly tailSeconds?: number | undefined;
  readonly unitSamples?: number | undefined;
}

/**
 * How a clip is padded: to 30 s, or by the recipe's tail of silence and then to the multiple of samples that fills whole encoder
 * frames and whole tokens of the adaptor.
 */
export function clipPadding(
  { padding }: Recipe,
  encoder: Frames & { readonly maxPositions: number | null },
  { stack, tailSeconds, unitSamples }: Wanted,
): Padding {
  if ((padding ?? (encoder.maxPositions === null ? 'none' : '30s')) === '30s') return { kind: '30s' };
  return {
    kind: 'none',
    tailSeconds: tailSeconds ?? 0,
    unitSamples: unitSamples ?? wholeUnit(encoder, stack),
  };
}

/** The fewest samples that are both whole encoder frames and a whole token of an adaptor that stacks `stack` of them. */
export function wholeUnit({ unitSamples, framesPerSecond }: Frames, stack: number): number {
  if (stack === 1) return unitSamples;
  const token = Math.round((stack * sampleRate) / framesPerSecond);
  return (unitSamples / greatestCommonDivisor(unitSamples, token)) * token;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
