import { expect, it } from 'vitest';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import type { LazyTensor } from '../../../native-models/formats/tensor-source.ts';
import { floatRows, storedRows } from '../../../native-models/layers/row-chunks.ts';

const [rows, columns] = [4000, 1024];

/** Every row holds its own number. `read` counts the rows that are read. */
function numbered(counted: { rows: number }, first = 0, count = rows): LazyTensor {
  const values = () => {
    counted.rows = Math.max(counted.rows, count);
    return Float32Array.from({ length: count * columns }, (_, i) => first + Math.floor(i / columns));
  };
  return {
    ...derivedTensor('m', [count, columns], values),
    rows: (start, some) => numbered(counted, first + start, some),
  };
}

const orders: Readonly<Record<string, ((row: number) => number) | null>> = {
  'as they are': null,
  'pairs within heads of 64': (row) => row - (row % 64) + 2 * (row % 32) + Math.floor((row % 64) / 32),
  'all backwards': (row) => rows - 1 - row,
  'from the whole matrix': (row) => (row * 7) % rows,
};

for (const [name, order] of Object.entries(orders))
  it(`rows of a large matrix, ${name}, come in their order, and never all at once`, () => {
    const counted = { rows: 0 };
    const wanted = Array.from({ length: rows - (rows % 64) }, (_, row) => order?.(row) ?? row);
    const whole = numbered(counted);
    const parts = [{ tensor: { ...whole, shape: [wanted.length, columns] }, order }];
    const got = [...floatRows(parts)].flatMap((chunk) =>
      Array.from({ length: chunk.length / columns }, (_, row) => chunk[row * columns + columns - 1]),
    );
    expect(got).toEqual(wanted);
    expect(counted.rows).toBeLessThan(rows);
    const bytes = [...storedRows(parts)].reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBe(4 * columns * wanted.length);
  });
