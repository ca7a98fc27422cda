import type { Value, Weight } from '../graph/definition.ts';
import type { Graph } from '../graph/graph.ts';
import { knownDimension } from '../graph/shape.ts';

/** A product of two narrow matrices beside a large one: `up·(down·x)`. Equal names are equal values. */
export interface Factor {
  readonly rank: number;
  /** Turned up and down while the graph runs; otherwise as it is. */
  readonly dialled: boolean;
  /** [inputs, rank], as MatMul takes it. */
  readonly down: { readonly name: string; read(): Float32Array };
  /** [rank, outputs]. */
  readonly up: { readonly name: string; read(): Float32Array };
}

/** A scalar of the graph, as a vector that leaves some places of a branch's middle alone. */
export type Dial = (dialled: number, fixed: number) => Value;

/** `scale` f32 scalar → vectors of `dialled` times the scale, then `fixed` times one. Each is computed once a graph. */
export function dialOf(g: Graph, scale: Value): Dial {
  const vectors = new Map<string, Value>();
  return (dialled, fixed) => {
    if (fixed === 0) return scale;
    const key = `${dialled}+${fixed}`;
    const places = (first: number, second: number) =>
      g.constant(
        'float32',
        [dialled + fixed],
        [...new Array<number>(dialled).fill(first), ...new Array<number>(fixed).fill(second)],
      );
    const vector = vectors.get(key) ?? g.add(g.mul(scale, places(1, 0)), places(0, 1));
    vectors.set(key, vector);
    return vector;
  };
}

/** What every weight of a block has in common, beyond its scale. */
export interface BlockOffsets {
  readonly blockSize: number;
  /** f32 [outputs, inputs/blockSize]. */
  readonly values: Value;
}

/** Inputs up to which the sums of blocks are a product with a matrix of ones, which needs one step and joins another matrix. */
const mostSummedByProduct = 2048;

/**
 * The sum of all factors' products, x [1, S, inputs] → [1, S, outputs], in two multiplications whatever their number: the downs side
 * by side, the ups below one another. Dialled factors come first. Offsets are a factor whose down product is the sums of the blocks.
 */
export function sideBranch(
  g: Graph,
  x: Value,
  outputs: number,
  factors: readonly Factor[],
  dial: Dial | null,
  offsets: BlockOffsets | null,
): Value {
  if (factors.length === 0 && offsets !== null)
    return g.matMulTransposed(blockSums(g, x, offsets), offsets.values, 1);
  const inputs = knownDimension(x.shape, -1, 'side branch');
  const rank = factors.reduce((sum, factor) => sum + factor.rank, 0);
  const dialled = factors.reduce((sum, factor) => sum + (factor.dialled ? factor.rank : 0), 0);
  if (dialled > 0 && dial === null) throw new Error('a dialled factor needs a dial');
  const names = (side: 'down' | 'up') => factors.map((factor) => factor[side].name).join('+');
  const down = g.weight(names('down'), sideBySide(factors, inputs, rank));
  const up = g.weight(names('up'), belowOneAnother(factors, rank, outputs));
  const turned = (middle: Value, fixed: number) =>
    dialled === 0 || dial === null ? middle : g.mul(middle, dial(dialled, fixed));
  if (offsets === null) return g.matMul(turned(g.matMul(x, down), rank - dialled), up);
  const ups = g.concat([up, g.transpose(offsets.values, [1, 0])], 0);
  const blocks = inputs / offsets.blockSize;
  if (inputs > mostSummedByProduct) {
    const middle = turned(g.matMul(x, down), rank - dialled);
    return g.matMul(g.concat([middle, blockSums(g, x, offsets)], -1), ups);
  }
  const downs = g.concat([down, blockIndicator(g, inputs, offsets.blockSize)], 1);
  return g.matMul(turned(g.matMul(x, downs), rank - dialled + blocks), ups);
}

/** [1, S, inputs] → [1, S, blocks]. */
function blockSums(g: Graph, x: Value, { blockSize }: BlockOffsets): Value {
  const inputs = knownDimension(x.shape, -1, 'side branch');
  if (inputs <= mostSummedByProduct) return g.matMul(x, blockIndicator(g, inputs, blockSize));
  return g.squeeze(g.reduceSum(g.reshape(x, [0, 0, inputs / blockSize, blockSize]), 3), 3);
}

/** f32 [inputs, blocks]: one where the input lies in the block. Made by the graph, when it is loaded. */
function blockIndicator(g: Graph, inputs: number, blockSize: number): Value {
  return g.shared(`blockIndicator.${inputs}.${blockSize}`, () => {
    const blocks = inputs / blockSize;
    const own = g.div(g.range(g.int64s([inputs]), inputs), g.int64s([blockSize]));
    const all = g.range(g.int64s([blocks]), blocks);
    return g.cast(g.equal(g.unsqueeze(own, 1), all), 'float32');
  });
}

function sideBySide(factors: readonly Factor[], inputs: number, rank: number): Weight {
  return {
    type: 'float32',
    shape: [inputs, rank],
    read: () => {
      const all = new Float32Array(inputs * rank);
      let first = 0;
      for (const factor of factors) {
        const values = factor.down.read();
        for (let row = 0; row < inputs; row++)
          all.set(values.subarray(row * factor.rank, (row + 1) * factor.rank), row * rank + first);
        first += factor.rank;
      }
      return new Uint8Array(all.buffer);
    },
  };
}

function belowOneAnother(factors: readonly Factor[], rank: number, outputs: number): Weight {
  return {
    type: 'float32',
    shape: [rank, outputs],
    read: () => {
      const all = new Float32Array(rank * outputs);
      let first = 0;
      for (const factor of factors) {
        all.set(factor.up.read(), first * outputs);
        first += factor.rank;
      }
      return new Uint8Array(all.buffer);
    },
  };
}
