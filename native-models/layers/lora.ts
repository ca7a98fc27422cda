import type { LazyTensor, TensorSource } from '../formats/tensor-source.ts';
import { expectShape } from './expect-shape.ts';
import type { Factor } from './side-branch.ts';

/**
 * Low-rank changes to projections (Hu et al. 2021, LoRA): `y = W·x + scale · B·(A·x)`. The scale, alpha / rank when trained, is an
 * input of the graph, so that one set of weights serves with and without them, and in between.
 */
export interface Lora {
  readonly tensors: TensorSource;
  /** What stands before `model.layers.N…` in the names. */
  readonly prefix: string;
  readonly rank: number;
}

export interface Projection {
  readonly name: 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj';
  readonly outputs: number;
}

interface Part {
  readonly a: LazyTensor;
  readonly b: LazyTensor;
  readonly outputs: number;
}

/**
 * `B·A` of projections of a layer that are computed side by side, as one factor: every A beside the others, the B down the diagonal
 * of one matrix. Throws `tensor-missing` or `shape-mismatch`.
 */
export function loraFactor(
  lora: Lora,
  layer: number,
  projections: readonly Projection[],
  inputs: number,
): Factor {
  const parts = projections.map(({ name, outputs }): Part => {
    const path = `${lora.prefix}model.layers.${layer}.self_attn.${name}`;
    return {
      a: expectShape(lora.tensors.tensor(`${path}.A`), [lora.rank, inputs]),
      b: expectShape(lora.tensors.tensor(`${path}.B`), [outputs, lora.rank]),
      outputs,
    };
  });
  const name = `blk.${layer}.lora.${projections.map((projection) => projection.name).join('.')}`;
  return {
    rank: parts.length * lora.rank,
    dialled: true,
    down: { name: `${name}.A`, read: () => sideBySide(parts, inputs, lora.rank) },
    up: { name: `${name}.B`, read: () => diagonal(parts, lora.rank) },
  };
}

/** Every Aᵀ beside the others: [inputs, parts · rank]. */
function sideBySide(parts: readonly Part[], inputs: number, rank: number): Float32Array {
  const width = parts.length * rank;
  const values = new Float32Array(inputs * width);
  parts.forEach(({ a }, part) => {
    const rows = a.float32();
    for (let r = 0; r < rank; r++)
      for (let i = 0; i < inputs; i++) values[i * width + part * rank + r] = rows[r * inputs + i] ?? 0;
  });
  return values;
}

/** Every Bᵀ in its own rows and columns, zero elsewhere: [parts · rank, Σ outputs]. */
function diagonal(parts: readonly Part[], rank: number): Float32Array {
  const width = parts.reduce((sum, { outputs }) => sum + outputs, 0);
  const values = new Float32Array(parts.length * rank * width);
  let firstColumn = 0;
  parts.forEach(({ b, outputs }, part) => {
    const rows = b.float32();
    for (let n = 0; n < outputs; n++)
      for (let r = 0; r < rank; r++)
        values[(part * rank + r) * width + firstColumn + n] = rows[n * rank + r] ?? 0;
    firstColumn += outputs;
  });
  return values;
}
