import { ModelError } from '../../errors.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { knownDimension } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import { type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { reshapedRows } from './joined-rows.ts';

/** What may stand before names that end so: the prefixes of modules saved inside others. */
export function prefixesOf(tensors: TensorSource, ending: string): string[] {
  return tensors
    .names()
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
}

/** Names after a prefix, as if the module had been saved alone. */
export function inside(tensors: TensorSource, prefix: string): TensorSource {
  if (prefix === '') return tensors;
  return {
    names: () =>
      tensors.names().flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : [])),
    has: (name) => tensors.has(prefix + name),
    tensor: (name) => tensors.tensor(prefix + name),
  };
}

/** More modules in a row than any encoder has. */
const moduleLimit = 1024;

/**
 * How many modules `stem0…`, `stem1…` the names tell of, the last of which counts: one that is missing between them is then missed
 * by name, and not taken for the end. Throws `not-supported` for a number that is not believable.
 */
export function countModules(names: readonly string[], stem: string): number {
  let count = 0;
  for (const name of names) {
    const number = name.startsWith(stem) ? /^(\d{1,9})[./]/.exec(name.slice(stem.length))?.[1] : undefined;
    if (number !== undefined) count = Math.max(count, Number(number) + 1);
  }
  if (count <= moduleLimit) return count;
  throw new ModelError(
    'not-supported',
    `The weights tell of ${count} modules ${stem}N, more than any encoder has.`,
    'Check that the file is the encoder that the recipe means.',
  );
}

/** PyTorch's Linear, or a convolution that sees one position at a time; `biased` as its model was made. */
export function linearLayer(
  g: Graph,
  source: TensorSource,
  x: Value,
  name: string,
  kind: LinearKind,
  biased = true,
): Value {
  const weight = matrix(source.tensor(`${name}.weight`));
  const bias = biased ? expectShape(source.tensor(`${name}.bias`), weight.shape.slice(0, 1)) : null;
  return linear(g, x, { weight, bias }, kind);
}

/** [out, in, 1] and [out, in, 1, 1] as [out, in]. */
function matrix(tensor: LazyTensor): LazyTensor {
  const [, inputs = 0, ...kernel] = tensor.shape;
  if (kernel.length === 0 || kernel.some((size) => size !== 1)) return tensor;
  return reshapedRows(tensor, [inputs]);
}

/** PyTorch's LayerNorm. */
export function layerNorm(g: Graph, source: TensorSource, x: Value, name: string): Value {
  const width = [knownDimension(x.shape, -1, 'LayerNorm')];
  const weight = weightOf(g, source, `${name}.weight`, width);
  return g.layerNormalization(x, weight, weightOf(g, source, `${name}.bias`, width), 1e-5);
}

/** A tensor as it is, in single precision. Throws `shape-mismatch` when it is of another shape. */
export function weightOf(g: Graph, source: TensorSource, name: string, shape: readonly number[]): Value {
  const tensor = expectShape(source.tensor(name), shape);
  return g.weight(tensor.name, floatWeight(tensor));
}
