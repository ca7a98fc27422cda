import { z } from 'zod';
import { ModelError } from '../errors.ts';
import type { LazyTensor } from '../formats/tensor-source.ts';
import { type DenseMatrix, singularValues } from './singular-values.ts';

/** Numbers of singular vectors that the transferable aligner, table 2, keeps. */
const kept = [50, 100, 200, 300, 1000];
const shares = [0.9, 0.95, 0.99];

/** What one matrix does to what passes through it, as `bundle spectrum --json` prints it. */
export const matrixSpectrumSchema = z.object({
  name: z.string(),
  /** [out, in] of weights; [tokens, hidden] of a clip's features. */
  shape: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  /** Largest first. */
  singularValues: z.array(z.number().nonnegative()),
  /** Σσ², the square of the Frobenius norm. */
  totalEnergy: z.number().nonnegative(),
  /** Share of Σσ² in the top k, for the numbers of vectors that there are. */
  energyOfTop: z.array(z.object({ k: z.number().int().positive(), energy: z.number().min(0).max(1) })),
  /** The fewest vectors that hold a share of Σσ². */
  vectorsForEnergy: z.array(z.object({ energy: z.number(), k: z.number().int().nonnegative() })),
  /** exp of the entropy of σ / Σσ (Roy and Vetterli 2007): how many directions are used, were they used alike. */
  effectiveRank: z.number().nonnegative(),
});
export type MatrixSpectrum = z.infer<typeof matrixSpectrumSchema>;

export const spectrumSchema = z.object({
  /** The alignment's matrices in the order in which sound passes them. */
  matrices: z.array(matrixSpectrumSchema).min(1),
  /** What the adaptor makes of a clip (the transferable aligner, section 2.3.3), where one was given. */
  features: matrixSpectrumSchema.optional(),
});
export type Spectrum = z.infer<typeof spectrumSchema>;

/** More would not fit in memory in double precision, nor end in minutes. */
const mostValues = 2 ** 27;

/** The singular values of weights [out, in]. Throws `not-supported` when there are too many of them. */
export function tensorSpectrum(tensor: LazyTensor): MatrixSpectrum {
  const [rows = 0, columns = 0, ...rest] = tensor.shape;
  if (rest.length > 0 || rows * columns === 0 || rows * columns > mostValues)
    throw new ModelError(
      'not-supported',
      `${tensor.name} [${tensor.shape.join(', ')}] is no matrix of at most ${mostValues} numbers.`,
      'Look at another bundle.',
    );
  return matrixSpectrum(tensor.name, { rows, columns, values: tensor.float32() });
}

/** The same of values at hand, such as the features [tokens, hidden] that an adaptor makes of a clip. */
export function matrixSpectrum(name: string, matrix: DenseMatrix): MatrixSpectrum {
  const values = Array.from(singularValues(matrix));
  const cumulative = cumulativeEnergy(values);
  const sizes = kept.filter((k) => k < values.length);
  return {
    name,
    shape: [matrix.rows, matrix.columns],
    singularValues: values,
    totalEnergy: values.reduce((sum, value) => sum + value * value, 0),
    energyOfTop: [...sizes, values.length].map((k) => ({ k, energy: cumulative[k - 1] ?? 0 })),
    vectorsForEnergy: shares.map((energy) => ({ energy, k: vectorsFor(cumulative, energy) })),
    effectiveRank: effectiveRank(values),
  };
}

/** Share of Σσ² in the first 1, 2, 3 … values; zeros for a matrix of zeros. */
export function cumulativeEnergy(values: readonly number[]): number[] {
  const total = values.reduce((sum, value) => sum + value * value, 0);
  let sum = 0;
  return values.map((value) => {
    sum += value * value;
    return total === 0 ? 0 : Math.min(1, sum / total);
  });
}

function vectorsFor(cumulative: readonly number[], energy: number): number {
  return cumulative.findIndex((share) => share >= energy) + 1;
}

function effectiveRank(values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + value, 0);
  if (sum === 0) return 0;
  const entropy = values.reduce((all, value) => {
    const share = value / sum;
    return share === 0 ? all : all - share * Math.log(share);
  }, 0);
  return Math.exp(entropy);
}
