import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { ggmlTypes } from '../../../native-models/formats/ggml-blocks.ts';
import type { LazyTensor } from '../../../native-models/formats/tensor-source.ts';
import type { Value } from '../../../native-models/graph/definition.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import type { Target } from '../../../native-models/graph/target.ts';
import { dialOf } from '../../../native-models/layers/side-branch.ts';
import { storedBytes } from '../../../native-models/layers/stored-matrix.ts';
import { lastProduct, lookUp, product, weightMatrix } from '../../../native-models/layers/weight-product.ts';
import { floats, runGraph, someNumbers, valuesOf } from '../graph/run-graph.ts';
import { blockTypes, storedTensor, superBlockTypes } from './stored-tensors.ts';

const columns = 256;
const floatTypes = ['F32', 'F16', 'BF16'] as const;
const allTypes = [...blockTypes, ...superBlockTypes, ...floatTypes];
/** Their products round the inputs to int8 on CPUs, with scales that have to be known when the graph is loaded. */
const eightBits: readonly string[] = ['Q8_0', 'Q6_K'];

const inOrder = (tensor: LazyTensor) => ({ tensor, order: null });

/** Rows of `w` [rows, columns] times x [positions, columns]. */
function multiplied(w: Float32Array, x: Float32Array): number[] {
  const rows = w.length / columns;
  const positions = x.length / columns;
  return Array.from({ length: positions * rows }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < columns; k++)
      sum += (w[(i % rows) * columns + k] ?? 0) * (x[Math.floor(i / rows) * columns + k] ?? 0);
    return sum;
  });
}

async function run(
  build: (g: Graph, x: Value) => Value,
  options: { positions?: number; target?: Target; optimised?: boolean; scale?: number } = {},
) {
  const { positions = 2, target = 'cpu', optimised = false, scale } = options;
  const g = new Graph('test', target);
  const x = g.input('x', 'float32', [1, 'S', columns]);
  g.output('y', build(g, x));
  const input = someNumbers(positions * columns, 9);
  const feeds = {
    x: floats(input, [1, positions, columns]),
    ...(scale !== undefined && { scale: new Tensor('float32', [scale], []) }),
  };
  const outputs = await runGraph(g, feeds, optimised ? 'all' : 'disabled');
  return { y: valuesOf(outputs.y), input };
}

function expectWithin(actual: readonly number[], expected: readonly number[], tolerance: number) {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, i) => Math.abs((actual[i] ?? Number.NaN) - value)));
  expect(worst / largest).toBeLessThan(tolerance);
}

describe('products with the weights of a file', () => {
  for (const type of allTypes)
    it(`${type}: as with the weights taken out of their blocks`, async () => {
      const tensor = storedTensor('t', type, [24, columns]);
      const matrix = weightMatrix('m', [inOrder(tensor)], 'keep');
      const { y, input } = await run((g, x) => product(g, x, matrix), { optimised: true });
      const expected = multiplied(tensor.float32(), input);
      expectWithin(y, expected, eightBits.includes(type) ? 0.01 : 1e-5);
      expect(cosineSimilarity(Float32Array.from(y), Float32Array.from(expected))).toBeGreaterThan(0.9999);
    });

  it('of several types below one another, each row where it belongs, in the order that is wanted', async () => {
    const types = ['Q4_K', 'Q4_K', 'Q6_K', 'F16', 'Q4_0', 'Q5_1'] as const;
    const tensors = types.map((type, i) => storedTensor(`t${i}`, type, [16, columns], i + 1));
    const backwards = (row: number) => 15 - row;
    const parts = tensors.map((tensor, i) => ({ tensor, order: i % 2 === 1 ? backwards : null }));
    const matrix = weightMatrix('m', parts, 'keep');
    expect(matrix.rows).toBe(16 * types.length);
    const { y, input } = await run((g, x) => product(g, x, matrix));
    const whole = Float32Array.from(
      tensors.flatMap((tensor, i) => {
        const values = tensor.float32();
        const rows = Array.from({ length: 16 }, (_, row) => values.slice(row * columns, (row + 1) * columns));
        return (i % 2 === 1 ? rows.reverse() : rows).flatMap((row) => [...row]);
      }),
    );
    expectWithin(y, multiplied(whole, input), 0.01);
  });

  for (const target of ['plain', 'directml', 'coreml'] as const)
    it(`are the same where ${target} has no fused product`, async () => {
      for (const type of ['Q4_1', 'Q5_K', 'Q6_K', 'Q8_0', 'BF16'] as const) {
        const tensor = storedTensor('t', type, [24, columns]);
        const matrix = weightMatrix('m', [inOrder(tensor)], 'keep');
        const { y, input } = await run((g, x) => product(g, x, matrix), { target });
        expectWithin(y, multiplied(tensor.float32(), input), 1e-5);
      }
    });

  it('for logits, are as exact as single precision, also where an input is all zeros', async () => {
    for (const type of allTypes) {
      const tensor = storedTensor('t', type, [24, columns]);
      const matrix = weightMatrix('m', [inOrder(tensor)], 'keep');
      const last = (g: Graph, x: Value) => lastProduct(g, g.slice(x, 1, -1), matrix);
      const exact = await run(last, { positions: 1, optimised: true });
      expectWithin(exact.y, multiplied(tensor.float32(), exact.input), 2e-4);
      const zeros = await run((g, x) => last(g, g.mul(x, g.constant('float32', [], [0]))), {
        ...{ positions: 1, optimised: true },
      });
      expect(zeros.y.every((value) => Math.abs(value) < 1e-20)).toBe(true);
    }
  });

  it('add a low-rank change as its dial is turned, beside minima and without them', async () => {
    const down = someNumbers(columns * 3, 3);
    const up = someNumbers(3 * 24, 4);
    const factor = {
      ...{ rank: 3, dialled: true },
      down: { name: 'A', read: () => down },
      up: { name: 'B', read: () => up },
    };
    const change = multiplied(
      Float32Array.from({ length: 24 * columns }, (_, at) => {
        const [row, k] = [Math.floor(at / columns), at % columns];
        return [0, 1, 2].reduce((sum, r) => sum + (down[k * 3 + r] ?? 0) * (up[r * 24 + row] ?? 0), 0);
      }),
      someNumbers(2 * columns, 9),
    );
    for (const types of [['Q4_1'], ['Q4_0'], ['Q4_K', 'Q5_0']] as const)
      for (const scale of [0, 0.5, 2]) {
        const tensors = types.map((type, i) =>
          storedTensor(`t${i}`, type, [24 / types.length, columns], i + 1),
        );
        const matrix = weightMatrix('m', tensors.map(inOrder), 'keep');
        const { y, input } = await run(
          (g, x) => product(g, x, matrix, { factor, dial: dialOf(g, g.input('scale', 'float32', [])) }),
          { scale },
        );
        const unchanged = multiplied(Float32Array.from(tensors.flatMap((t) => [...t.float32()])), input);
        expectWithin(
          y,
          unchanged.map((value, i) => value + scale * (change[i] ?? 0)),
          1e-5,
        );
      }
  });

  it('sum the inputs of wide matrices without a matrix of ones', async () => {
    const wide = 4096;
    const tensor = storedTensor('t', 'Q4_1', [8, wide]);
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 'S', wide]);
    g.output('y', product(g, x, weightMatrix('m', [inOrder(tensor)], 'keep')));
    const input = someNumbers(3 * wide, 5);
    const { y } = await runGraph(g, { x: floats(input, [1, 3, wide]) });
    const w = tensor.float32();
    const expected = Array.from({ length: 24 }, (_, i) => {
      const [position, row] = [Math.floor(i / 8), i % 8];
      let sum = 0;
      for (let k = 0; k < wide; k++) sum += (w[row * wide + k] ?? 0) * (input[position * wide + k] ?? 0);
      return sum;
    });
    expectWithin(valuesOf(y), expected, 1e-5);
  });

  it('refuse rows of different widths', () => {
    const parts = [storedTensor('t', 'Q4_0', [4, 64]), storedTensor('wide', 'Q4_0', [2, 128])];
    expect(() => weightMatrix('m', parts.map(inOrder), 'keep')).toThrow(/wide \[2, 128\] is not rows of 64/);
  });
});

describe('rows looked up in a table', () => {
  for (const type of allTypes)
    it(`of ${type} are exact`, async () => {
      const tensor = storedTensor('t', type, [24, columns]);
      const matrix = weightMatrix('m', [inOrder(tensor)], 'keep');
      const g = new Graph('test');
      const ids = g.input('ids', 'int64', [1, 'S']);
      const rows = lookUp(g, matrix, ids);
      expect(rows.shape).toEqual([1, 'S', columns]);
      g.output('y', rows);
      const { y } = await runGraph(g, { ids: new Tensor('int64', [5n, 23n, 5n], [1, 3]) });
      const table = tensor.float32();
      const expected = [5, 23, 5].flatMap((row) => [...table.subarray(row * columns, (row + 1) * columns)]);
      expectWithin(valuesOf(y), expected, 1e-6);
    });
});

describe('weights in a data file', () => {
  for (const type of [...blockTypes, ...superBlockTypes])
    it(`of ${type} take the bytes that they took`, () => {
      const tensor = storedTensor('t', type, [24, columns]);
      const [stored] = weightMatrix('m', [inOrder(tensor)], 'keep').stored;
      const { bytes, elements } = ggmlTypes[type];
      expect(stored && storedBytes(stored)).toBe((24 * columns * bytes) / elements);
    });

  for (const [format, bits, least] of [
    ['q8', 8, 0.9999],
    ['q4', 4, 0.99],
  ] as const)
    it(`are rounded to ${format} from any type: half precision for a scale, cosine above ${least}`, async () => {
      for (const type of ['F32', 'BF16', 'Q8_0'] as const) {
        const tensor = storedTensor('t', type, [64, columns]);
        const matrix = weightMatrix('m', [inOrder(tensor)], format);
        const [stored] = matrix.stored;
        expect(stored && storedBytes(stored)).toBe(64 * columns * (bits / 8) + (64 * columns * 2) / 32);
        const { y, input } = await run((g, x) => product(g, x, matrix), { optimised: true });
        const expected = Float32Array.from(multiplied(tensor.float32(), input));
        expect(cosineSimilarity(Float32Array.from(y), expected)).toBeGreaterThan(least);
      }
    });

  it('without rounding are single precision, in no more bytes than the file had for plain numbers', async () => {
    for (const [type, bytes] of [
      ['BF16', 2],
      ['F32', 4],
      ['Q5_K', 4],
    ] as const) {
      const tensor = storedTensor('t', type, [24, columns]);
      const matrix = weightMatrix('m', [inOrder(tensor)], 'none');
      const [stored] = matrix.stored;
      expect(stored && storedBytes(stored)).toBe(24 * columns * bytes);
      const { y, input } = await run((g, x) => product(g, x, matrix));
      expectWithin(y, multiplied(tensor.float32(), input), 1e-5);
    }
  });
});
