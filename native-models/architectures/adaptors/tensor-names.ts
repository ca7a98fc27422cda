import { ModelError } from '../../errors.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { shapeMismatch, shapeText } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';

export interface WeightAndBias {
  readonly weight: LazyTensor;
  readonly bias: LazyTensor | null;
}

/**
 * The weight and, where there is one, the bias under a path that ends in a dot or is empty. Throws `tensor-missing`, and
 * `shape-mismatch` when the bias has not one element for each of the weight's rows.
 */
export function layerAt(weights: TensorSource, stem: string): WeightAndBias {
  const weight = weights.tensor(`${stem}weight`);
  const bias = weights.has(`${stem}bias`) ? weights.tensor(`${stem}bias`) : null;
  if (bias !== null) expectShape(bias, weight.shape.slice(0, 1));
  if (weight.shape.length === 0 || weight.shape.includes(0))
    throw shapeMismatch(`${weight.name} ${shapeText(weight.shape)} is a layer of nothing`);
  return { weight, bias };
}

/**
 * What stands before a name in a file that may wrap a module in others: `model.` of `model.ln_speech.weight`. The shortest wins;
 * null where no tensor ends in this name.
 */
export function prefixOf(weights: TensorSource, name: string): string | null {
  const [shortest] = weights
    .names()
    .filter((full) => full === name || full.endsWith(`.${name}`))
    .toSorted((a, b) => a.length - b.length);
  return shortest === undefined ? null : shortest.slice(0, shortest.length - name.length);
}

/** The module's tensor of the first of these names; null where it has none of them. */
export function firstOf(weights: TensorSource, names: readonly string[]): LazyTensor | null {
  const name = names.find((candidate) => weights.has(candidate));
  return name === undefined ? null : weights.tensor(name);
}

/** Throws `tensor-missing`, naming what was looked for. */
export function requireTensor(tensor: LazyTensor | null, wanted: string): LazyTensor {
  if (tensor !== null) return tensor;
  throw new ModelError(
    'tensor-missing',
    `The file given for the adaptor has no ${wanted}.`,
    'Check `adaptor.architecture` and `adaptor.from` in the recipe.',
  );
}
