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

/**
 * The sum of all factors' products, x [1, S, inputs] → [1, S, outputs], in two multiplications whatever their number: the downs side
 * by side, the ups below one another. Dialled factors come first.
 */
export function sideBranch(
  g: Graph,
  x: Value,
  outputs: number,
  factors: readonly Factor[],
  dial: Dial | null,
): Value {
  const inputs = knownDimension(x.shape, -1, 'side branch');
  const rank = factors.reduce((sum, factor) => sum + factor.rank, 0);
  const names = (side: 'down' | 'up') => factors.map((factor) => factor[side].name).join('+');
  const down = g.weight(names('down'), sideBySide(factors, inputs, rank));
  const up = g.weight(names('up'), belowOneAnother(factors, rank, outputs));
  const middle = g.matMul(x, down);
  const dialled = factors.reduce((sum, factor) => sum + (factor.dialled ? factor.rank : 0), 0);
  if (dialled === 0) return g.matMul(middle, up);
  if (dial === null) throw new Error('a dialled factor needs a dial');
  return g.matMul(g.mul(middle, dial(dialled, rank - dialled)), up);
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
