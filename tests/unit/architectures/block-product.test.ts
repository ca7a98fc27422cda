import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import {
  blocksToFloat32,
  type GgmlBlockType,
  ggmlTypes,
} from '../../../native-models/formats/ggml-blocks.ts';
import type { LazyTensor } from '../../../native-models/formats/tensor-source.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import { blockMatrix, blockTable, byteMatrix } from '../../../native-models/layers/block-matrix.ts';
import { blockProduct, twofoldProduct } from '../../../native-models/layers/block-product.ts';
import { dialOf } from '../../../native-models/layers/side-branch.ts';
import { floats, runGraph, someNumbers, valuesOf } from '../graph/run-graph.ts';

const columns = 64;

/** Blocks with scales near 0.01, some of them zero or negative, and any levels. */
function blockTensor(name: string, type: GgmlBlockType, rows: number): LazyTensor {
  const { bytes } = ggmlTypes[type];
  const content = Uint8Array.from(
    someNumbers((rows * columns * bytes) / 32, rows),
    (value) => (value + 1) * 127,
  );
  for (let start = 0, block = 0; start < content.length; start += bytes, block++) {
    // Half precision: 0x2100 is about 0.01, the sign the highest bit.
    content[start] = 0;
    content[start + 1] = block % 7 === 0 ? 0 : block % 5 === 0 ? 0xa1 : 0x21;
    if (type === 'Q4_1') content[start + 3] = block % 3 === 0 ? 0x21 : 0xaa;
  }
  const shape = [rows, columns];
  const float32 = () => blocksToFloat32(type, content);
  return { ...derivedTensor(name, shape, float32), type, read: () => content };
}

function plainTensor(name: string, rows: number): LazyTensor {
  const values = someNumbers(rows * columns, 5);
  return derivedTensor(name, [rows, columns], () => values);
}

/** Rows of `w` [rows, columns] times x [2, columns]. */
function product(w: Float32Array, x: Float32Array): number[] {
  const rows = w.length / columns;
  return Array.from({ length: 2 * rows }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < columns; k++)
      sum += (w[(i % rows) * columns + k] ?? 0) * (x[Math.floor(i / rows) * columns + k] ?? 0);
    return sum;
  });
}

async function multiplied(build: (g: Graph, x: ReturnType<Graph['input']>) => ReturnType<Graph['input']>) {
  const g = new Graph('test');
  const x = g.input('x', 'float32', [1, 'S', columns]);
  g.output('y', build(g, x));
  const input = someNumbers(2 * columns, 9);
  return { y: valuesOf((await runGraph(g, { x: floats(input, [1, 2, columns]) })).y), input };
}

describe('products with the weights of a file', () => {
  for (const [types, tolerance] of [
    [['Q4_0'], 1e-5],
    [['Q4_1'], 1e-5],
    [['Q4_0', 'Q4_1'], 1e-5],
    // Inputs are rounded to int8 on the way.
    [['Q8_0'], 0.02],
    [['Q8_0', 'Q4_1'], 0.03],
  ] as const)
    it(`${types.join(' above ')}: as with the weights taken out of their blocks`, async () => {
      const tensors = types.map((type, i) => blockTensor(`t${i}`, type, 32));
      const matrix = blockMatrix(
        'm',
        tensors.map((tensor) => ({ tensor, order: null })),
      );
      const { y, input } = await multiplied((g, x) => blockProduct(g, x, matrix));
      const whole = Float32Array.from(tensors.flatMap((tensor) => [...tensor.float32()]));
      const largest = Math.max(...product(whole, input).map(Math.abs));
      product(whole, input).forEach((value, i) => {
        expect(Math.abs((y[i] ?? Number.NaN) - value)).toBeLessThan(tolerance * largest);
      });
    });

  it('twofold, 8-bit products are as exact as single precision, also where an input is all zeros', async () => {
    const tensor = blockTensor('t', 'Q8_0', 32);
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 1, columns]);
    g.output('y', twofoldProduct(g, x, byteMatrix('m', tensor)));
    // One input dwarfs the others of its block; the second block is empty.
    const input = someNumbers(columns, 9).map((value, i) => (i === 3 ? 50 : i < 32 ? value : 0));
    const y = valuesOf((await runGraph(g, { x: floats(input, [1, 1, columns]) })).y);
    const expected = product(tensor.float32(), input).slice(0, 32);
    const largest = Math.max(...expected.map(Math.abs));
    expected.forEach((value, i) => {
      expect(Math.abs((y[i] ?? Number.NaN) - value)).toBeLessThan(1e-4 * largest);
    });
  });

  it('takes rows in the order it is told', async () => {
    const tensor = blockTensor('t', 'Q4_1', 32);
    const matrix = blockMatrix('m', [{ tensor, order: (row) => 31 - row }]);
    const { y, input } = await multiplied((g, x) => blockProduct(g, x, matrix));
    const straight = product(tensor.float32(), input);
    for (let row = 0; row < 32; row++) expect(y[row]).toBeCloseTo(straight[31 - row] ?? Number.NaN, 4);
  });

  it('adds a change by its dial, and leaves the offsets alone', async () => {
    const tensor = blockTensor('t', 'Q4_1', 32);
    const [down, up] = [someNumbers(columns * 3, 2), someNumbers(3 * 32, 3)];
    const factor = {
      rank: 3,
      dialled: true,
      down: { name: 'a', read: () => down },
      up: { name: 'b', read: () => up },
    };
    const input = someNumbers(2 * columns, 9);
    for (const scale of [0, 2]) {
      const g = new Graph('test');
      const x = g.input('x', 'float32', [1, 'S', columns]);
      const dial = dialOf(g, g.input('scale', 'float32', []));
      g.output('y', blockProduct(g, x, blockMatrix('m', [{ tensor, order: null }]), { factor, dial }));
      const feeds = { x: floats(input, [1, 2, columns]), scale: new Tensor('float32', [scale], []) };
      const y = valuesOf((await runGraph(g, feeds)).y);
      const changed = tensor.float32().map((w, at) => {
        const [row, k] = [Math.floor(at / columns), at % columns];
        const change = [0, 1, 2].reduce(
          (sum, r) => sum + (down[k * 3 + r] ?? 0) * (up[r * 32 + row] ?? 0),
          0,
        );
        return w + scale * change;
      });
      product(changed, input).forEach((value, i) => {
        expect(y[i]).toBeCloseTo(value, 3);
      });
    }
  });

  it('looks rows up in the table that it also multiplies with, from the same bytes', async () => {
    for (const tensor of [blockTensor('t', 'Q8_0', 32), plainTensor('t', 32)]) {
      const g = new Graph('test');
      const ids = g.input('ids', 'int64', [1, 'S']);
      const matrix = byteMatrix('m', tensor);
      g.output('y', g.gatherBlockQuantized(blockTable(g, matrix), ids));
      const y = valuesOf((await runGraph(g, { ids: new Tensor('int64', [5n, 31n], [1, 2]) })).y);
      const table = tensor.float32();
      const expected = [...table.subarray(5 * columns, 6 * columns), ...table.subarray(31 * columns)];
      expected.forEach((value, i) => {
        expect(Math.abs((y[i] ?? Number.NaN) - value)).toBeLessThan(tensor.type === 'Q8_0' ? 1e-6 : 0.004);
      });
    }
  });

  it('refuses rows of different widths, and widths that are not whole blocks', () => {
    const wide = { ...plainTensor('wide', 2), shape: [1, 128] };
    const odd = { ...plainTensor('odd', 2), shape: [4, 33] };
    const rows = (tensor: LazyTensor) => ({ tensor, order: null });
    expect(() => blockMatrix('m', [rows(plainTensor('t', 2)), rows(wide)])).toThrow(/wide \[1, 128\]/);
    expect(() => blockMatrix('m', [rows(odd)])).toThrow(/odd \[4, 33\]/);
  });
});
