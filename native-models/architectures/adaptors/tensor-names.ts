import { ModelError } from '../../errors.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';

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
