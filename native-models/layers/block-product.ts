import { ggmlBlockElements } from '../formats/ggml-blocks.ts';
import { int } from '../graph/core.ts';
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

/**
 * `W·x` for 8-bit weights and one position, x [1, 1, K], as exact as with inputs in single precision: x is cut into what int8 holds
 * exactly and the rest, both go through the product as two rows, and are added. The next token hangs on differences smaller than
 * what a single rounding costs (0.1 to 0.4 in a logit); the second row takes less than a tenth of a step.
 */
export function twofoldProduct(g: Graph, x: Value, matrix: BlockMatrix): Value {
  const blocks = g.reshape(x, [matrix.columns / ggmlBlockElements, ggmlBlockElements]);
  const [size] = g.op('', 'Abs', [blocks], {}, [blocks]);
  const peakShape = { type: x.type, shape: [matrix.columns / ggmlBlockElements, 1] };
  const [peak] = g.op('', 'ReduceMax', [size, g.int64s([-1])], { keepdims: int(1) }, [peakShape]);
  // A block of zeros has any step but zero.
  const step = g.div(g.max(peak, g.constant('float32', [], [1e-30])), g.constant('float32', [], [127]));
  const inSteps = g.div(blocks, step);
  const [whole] = g.op('', 'Round', [inSteps], {}, [inSteps]);
  const coarse = g.mul(whole, step);
  const rows = g.reshape(g.concat([coarse, g.sub(blocks, coarse)], 0), [1, 2, matrix.columns]);
  return g.reduceSum(g.matMulNBits(rows, blockWeights(g, matrix), null, 4), 1);
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
