import { ggmlBlockElements } from '../formats/ggml-blocks.ts';
import type { Value } from '../graph/definition.ts';
import type { Graph } from '../graph/graph.ts';
import { type BlockMatrix, blockWeights } from './block-matrix.ts';
import { type Dial, type Factor, sideBranch } from './side-branch.ts';

/** A low-rank change to a product, and the dial that scales it. */
export interface Change {
  readonly factor: Factor;
  readonly dial: Dial;
}

/**
 * `W·x`, and the change. Offsets of a block, equal for its 32 weights, meet the sum of 32 inputs: a product of rank K/32 that
 * shares its two multiplications with the change.
 *
 * 4-bit weights are multiplied in single precision: rounding the inputs to int8, a third faster, costs this family 0.0015 of the
 * logits' cosine and turns greedy answers. 8-bit weights have no such kernel on CPUs, and are multiplied with int8 inputs.
 */
export function blockProduct(g: Graph, x: Value, matrix: BlockMatrix, change: Change | null = null): Value {
  const y = g.matMulNBits(x, blockWeights(g, matrix), null, matrix.bits === 4 ? 1 : 4);
  const offsets = matrix.offsets === null ? [] : [offsetFactor(matrix.columns, matrix.offsets)];
  const factors = change === null ? offsets : [change.factor, ...offsets];
  if (factors.length === 0) return y;
  return g.add(y, sideBranch(g, x, matrix.rows, factors, change?.dial ?? null));
}

function offsetFactor(columns: number, up: Factor['up']): Factor {
  const rank = columns / ggmlBlockElements;
  const down = { name: `blockSums.${columns}`, read: () => blockIndicator(columns, rank) };
  return { rank, dialled: false, down, up };
}

/** [columns, blocks]: one where the column lies in the block. */
function blockIndicator(columns: number, blocks: number): Float32Array {
  const values = new Float32Array(columns * blocks);
  for (let column = 0; column < columns; column++)
    values[column * blocks + Math.floor(column / ggmlBlockElements)] = 1;
  return values;
}
