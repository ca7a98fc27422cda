import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';

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

/** How many of `module.0`, `module.1`, … hold a tensor of this name. */
export function countModules(tensors: TensorSource, module: string, tensor: string): number {
  let count = 0;
  while (tensors.has(`${module}.${count}.${tensor}`)) count++;
  return count;
}

/** A module's weight and, where the file has one, bias: PyTorch's Linear, or a convolution that sees one position at a time. */
export function linearLayer(g: Graph, source: TensorSource, x: Value, name: string, kind: LinearKind): Value {
  const weight = matrix(source.tensor(`${name}.weight`));
  const bias = source.has(`${name}.bias`) ? source.tensor(`${name}.bias`) : null;
  return linear(g, x, { weight, bias }, kind);
}

/** [out, in, 1] and [out, in, 1, 1] as [out, in]. */
function matrix(tensor: LazyTensor): LazyTensor {
  const [outputs = 0, inputs = 0, ...kernel] = tensor.shape;
  if (kernel.length === 0 || kernel.some((size) => size !== 1)) return tensor;
  return derivedTensor(tensor.name, [outputs, inputs], () => tensor.float32());
}

/** PyTorch's LayerNorm. */
export function layerNorm(g: Graph, source: TensorSource, x: Value, name: string): Value {
  const weight = weightOf(g, source, `${name}.weight`);
  return g.layerNormalization(x, weight, weightOf(g, source, `${name}.bias`), 1e-5);
}

/** A tensor as it is, in single precision. */
export function weightOf(g: Graph, source: TensorSource, name: string): Value {
  const tensor = source.tensor(name);
  return g.weight(tensor.name, floatWeight(tensor));
}

/** The same where the file has it. */
export function weightIfThere(g: Graph, source: TensorSource, name: string): Value | null {
  return source.has(name) ? weightOf(g, source, name) : null;
}
