import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { pickedRows } from '../../../native-models/formats/picked-rows.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import {
  lookUp,
  product,
  tableOf,
  weighedRows,
  weightMatrix,
} from '../../../native-models/layers/weight-product.ts';
import { floats, runGraph, someNumbers, valuesOf } from '../graph/run-graph.ts';
import { storedTensor } from './stored-tensors.ts';

const columns = 256;
const types = ['F32', 'F16', 'BF16', 'Q4_1', 'Q5_0', 'Q8_0', 'Q6_K'] as const;
const numbers = [7, 2, 2, 11, 0];

function rowsOf(values: Float32Array, wanted: readonly number[]): number[] {
  return wanted.flatMap((row) => [...values.subarray(row * columns, (row + 1) * columns)]);
}

it.each(types)('rows of %s are picked in any order, as bytes and as numbers', (type) => {
  const tensor = storedTensor('t', type, [12, columns]);
  const picked = pickedRows(tensor, 'picked', numbers);
  expect(picked).toMatchObject({ name: 'picked', type, shape: [5, columns] });
  expect([...picked.float32()]).toEqual(rowsOf(tensor.float32(), numbers));
  const width = tensor.read().length / 12;
  expect([...picked.read().subarray(0, width)]).toEqual([...tensor.rows(7, 1).read()]);
  expect([...picked.rows(3, 2).float32()]).toEqual(rowsOf(tensor.float32(), [11, 0]));
  expect(() => picked.rows(3, 3)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
});

it.each(types)(
  'a table out of a table of %s looks up, multiplies and weighs the rows that it has',
  async (type) => {
    const tensor = storedTensor('t', type, [12, columns]);
    const whole = weightMatrix('whole', [{ tensor, order: null }], 'keep');
    const table = tableOf('some', whole, numbers);
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 'S', columns]);
    g.output('product', product(g, x, table));
    g.output('looked', lookUp(g, table, g.input('ids', 'int64', [1, 'T'])));
    g.output('weighed', weighedRows(g, g.input('weights', 'float32', [1, 'U', 5]), table));
    // The bytes stand in the file once.
    const sizes = g.finish().weights.map(({ shape }) => shape[0]);
    expect(sizes).toContain(12);
    const [input, weights] = [someNumbers(2 * columns, 3), someNumbers(5, 4)];
    const outputs = await runGraph(
      g,
      {
        x: floats(input, [1, 2, columns]),
        ids: new Tensor('int64', BigInt64Array.of(3n, 0n), [1, 2]),
        weights: floats(weights, [1, 1, 5]),
      },
      'all',
    );
    const rows = rowsOf(tensor.float32(), numbers);
    // Zero and minus zero are one number.
    const plain = (values: readonly number[]) => values.map((value) => value + 0);
    const looked = [...rows.slice(3 * columns, 4 * columns), ...rows.slice(0, columns)];
    expect(plain(valuesOf(outputs.looked))).toEqual(plain(looked));
    const dot = (row: number, at: number) =>
      input
        .subarray(at * columns, (at + 1) * columns)
        .reduce((sum, v, i) => sum + v * (rows[row * columns + i] ?? 0), 0);
    const products = [0, 1].flatMap((at) => numbers.map((_, row) => dot(row, at)));
    const largest = Math.max(...products.map(Math.abs));
    const tolerance = ['Q8_0', 'Q6_K'].includes(type) ? 0.01 : 1e-5;
    valuesOf(outputs.product).forEach((value, i) => {
      expect(Math.abs(value - (products[i] ?? Number.NaN)) / largest).toBeLessThan(tolerance);
    });
    valuesOf(outputs.weighed).forEach((value, i) => {
      const sum = numbers.reduce(
        (all, _, row) => all + (weights[row] ?? 0) * (rows[row * columns + i] ?? 0),
        0,
      );
      expect(value).toBeCloseTo(sum, 4);
    });
  },
);
