import type { LazyTensor } from '../formats/tensor-source.ts';
import { expectShape } from './expect-shape.ts';
import type { LoraPairs } from './lora-pairs.ts';
import type { Factor } from './side-branch.ts';

/** A linear layer among those that are computed side by side: which of their outputs are its own. */
export interface LoraTarget {
  /** As PyTorch calls it: `q_proj`, `gate_up_proj`. */
  readonly name: string;
  readonly first: number;
  readonly outputs: number;
}

export interface LoraPart extends LoraTarget {
  /** [rank, inputs]. */
  readonly a: LazyTensor;
  /** [outputs, rank]. */
  readonly b: LazyTensor;
}

/** The pairs that a LoRA has for these layers, which may be none. Throws `shape-mismatch`. */
export function loraParts(
  lora: LoraPairs,
  layer: number,
  targets: readonly LoraTarget[],
  inputs: number,
): LoraPart[] {
  return targets.flatMap((target) => {
    const pair = lora.pair(layer, target.name);
    if (pair === null) return [];
    const a = expectShape(pair.a, [lora.rank, inputs]);
    return [{ ...target, a, b: expectShape(pair.b, [target.outputs, lora.rank]) }];
  });
}

/**
 * Low-rank changes to projections (Hu et al. 2021, LoRA): `y = W·x + scale · B·(A·x)`. The scale, alpha / rank when trained, is an
 * input of the graph, so that one set of weights serves with and without them, and in between.
 *
 * `B·A` of layers that are computed side by side, as one factor: every A beside the others, each B in its own rows and columns of
 * one matrix of `outputs` columns. Null where there are none.
 */
export function loraFactor(
  name: string,
  parts: readonly LoraPart[],
  rank: number,
  inputs: number,
  outputs: number,
): Factor | null {
  if (parts.length === 0) return null;
  return {
    rank: parts.length * rank,
    dialled: true,
    down: { name: `${name}.A`, read: () => sideBySide(parts, inputs, rank) },
    up: { name: `${name}.B`, read: () => apart(parts, rank, outputs) },
  };
}

/** Every Aᵀ beside the others: [inputs, parts · rank]. */
function sideBySide(parts: readonly LoraPart[], inputs: number, rank: number): Float32Array {
  const width = parts.length * rank;
  const values = new Float32Array(inputs * width);
  parts.forEach(({ a }, part) => {
    const rows = a.float32();
    for (let r = 0; r < rank; r++)
      for (let i = 0; i < inputs; i++) values[i * width + part * rank + r] = rows[r * inputs + i] ?? 0;
  });
  return values;
}

/** Every Bᵀ in its own rows and columns, zero elsewhere: [parts · rank, width]. */
function apart(parts: readonly LoraPart[], rank: number, width: number): Float32Array {
  const values = new Float32Array(parts.length * rank * width);
  parts.forEach(({ b, first, outputs }, part) => {
    const rows = b.float32();
    for (let n = 0; n < outputs; n++)
      for (let r = 0; r < rank; r++) values[(part * rank + r) * width + first + n] = rows[n * rank + r] ?? 0;
  });
  return values;
}
