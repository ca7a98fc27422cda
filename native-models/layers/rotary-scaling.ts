/**
 * How frequencies are bent so that a model reads further than it was trained to.
 * - `linear`: positions divided by a factor (Chen et al. 2023).
 * - `llama3`: long waves divided, short ones left alone, those between blended (Llama 3.1).
 * - `yarn`: the same idea with a ramp over dimensions, and larger tables (Peng et al. 2023).
 * - `divided`: each frequency by its own divisor; what LongRoPE (Ding et al. 2024) and the `rope_freqs` of GGUF files come to.
 */
export type RotaryScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      /** Positions that the model was first trained with. */
      readonly originalPositions: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalPositions: number;
      /** Rotations over the original positions above which a dimension is left alone, and below which it is divided. */
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the ramp begins and ends at whole dimensions. */
      readonly truncate: boolean;
      /** Of both tables. */
      readonly magnitude: number;
    }
  | { readonly kind: 'divided'; readonly divisors: ArrayLike<number>; readonly magnitude: number };

const { fround } = Math;

/** The factor of the tables that YaRN's authors recommend: `0.1 · weight · ln(factor) + 1`. */
export function yarnMagnitude(factor: number, weight = 1): number {
  return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
}

/** The factor of the tables that LongRoPE's authors recommend: `√(1 + ln(factor) / ln(originalPositions))`. */
export function longRopeMagnitude(factor: number, originalPositions: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalPositions));
}

/** Frequencies of the periods `θ^(2i/dimensions)`, rounded to single precision in the order in which transformers rounds. */
export function scaledFrequencies(
  periods: Float32Array,
  theta: number,
  scaling: RotaryScaling,
): { frequencies: Float32Array; magnitude: number } {
  const plain = periods.map((period) => 1 / period);
  switch (scaling.kind) {
    case 'none':
      return { frequencies: plain, magnitude: 1 };
    case 'linear':
      return { frequencies: plain.map((frequency) => frequency / fround(scaling.factor)), magnitude: 1 };
    case 'llama3':
      return { frequencies: plain.map((frequency) => bentByWavelength(frequency, scaling)), magnitude: 1 };
    case 'yarn':
      return { frequencies: alongRamp(periods, theta, scaling), magnitude: fround(scaling.magnitude) };
    case 'divided':
      return {
        frequencies: periods.map((period, i) => 1 / fround(fround(scaling.divisors[i] ?? 1) * period)),
        magnitude: fround(scaling.magnitude),
      };
  }
}

function bentByWavelength(frequency: number, scaling: Extract<RotaryScaling, { kind: 'llama3' }>): number {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalPositions } = scaling;
  const wavelength = fround(fround(2 * Math.PI) / frequency);
  if (wavelength < originalPositions / highFrequencyFactor) return frequency;
  if (wavelength > originalPositions / lowFrequencyFactor) return frequency / factor;
  const range = highFrequencyFactor - lowFrequencyFactor;
  const smooth = fround(fround(fround(originalPositions / wavelength) - lowFrequencyFactor) / range);
  const divided = fround(fround(fround(1 - smooth) * frequency) / factor);
  return divided + fround(smooth * frequency);
}

function alongRamp(
  periods: Float32Array,
  theta: number,
  scaling: Extract<RotaryScaling, { kind: 'yarn' }>,
): Float32Array {
  const { factor, originalPositions, betaFast, betaSlow, truncate } = scaling;
  const dimensions = 2 * periods.length;
  /** The dimension that turns so often within the original positions. */
  const dimensionOf = (rotations: number) =>
    (dimensions * Math.log(originalPositions / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const [fast, slow] = [dimensionOf(betaFast), dimensionOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(fast) : fast, 0);
  const high = Math.min(truncate ? Math.ceil(slow) : slow, dimensions - 1);
  const span = fround(low === high ? 0.001 : high - low);
  return periods.map((period, i) => {
    const ramp = Math.min(1, Math.max(0, fround(fround(i - fround(low)) / span)));
    const kept = fround(1 - ramp);
    const divided = fround(1 / fround(fround(factor) * period));
    return fround(divided * fround(1 - kept)) + fround(fround(1 / period) * kept);
  });
}
