import { describe, expect, it } from 'vitest';
import { joinedRows, reshapedRows } from '../../../native-models/architectures/encoders/joined-rows.ts';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import type { LazyTensor } from '../../../native-models/formats/tensor-source.ts';

const counting = (name: string, rows: number, width: number, start: number) =>
  derivedTensor(name, [rows, width], () => Float32Array.from({ length: rows * width }, (_, i) => start + i));

describe('rows one below another', () => {
  const parts = [counting('a', 2, 3, 0), counting('b', 1, 3, 6), counting('c', 3, 3, 9)];

  it('are one tensor, of which any rows can be read alone', () => {
    const all = joinedRows('all', parts);
    expect(all.shape).toEqual([6, 3]);
    expect(Array.from(all.float32())).toEqual(Array.from({ length: 18 }, (_, i) => i));
    expect(Array.from(all.rows(1, 3).float32())).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(Array.from(all.rows(3, 1).float32())).toEqual([9, 10, 11]);
    expect(new Float32Array(all.rows(2, 1).read().buffer)).toEqual(Float32Array.of(6, 7, 8));
    expect(() => all.rows(4, 3)).toThrow(/rows/);
  });

  it('are zeros where a part is missing', () => {
    const all = joinedRows('all', [counting('a', 2, 2, 1), null, counting('c', 1, 2, 5)]);
    expect(all.shape).toEqual([5, 2]);
    expect(Array.from(all.float32())).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 5, 6]);
  });

  it('stay in half precision where all are, and become single where they differ', () => {
    const half = (name: string): LazyTensor => ({
      ...counting(name, 1, 3, 1),
      type: 'F16',
      read: () => Uint8Array.of(0x00, 0x3c, 0x00, 0x40, 0x00, 0x42),
    });
    const both = joinedRows('both', [half('a'), half('b')]);
    expect(both).toMatchObject({ type: 'F16', shape: [2, 3] });
    expect(both.read()).toHaveLength(12);
    expect(joinedRows('mixed', [half('a'), counting('b', 1, 3, 6)])).toMatchObject({
      type: 'F32',
      shape: [2, 3],
    });
  });

  it('are refused when one is of another width, by its name', () => {
    expect(() => joinedRows('all', [counting('a', 2, 3, 0), counting('odd', 2, 4, 0)])).toThrow(/odd/);
  });

  it('of a convolution over single positions are those of a matrix', () => {
    const matrix = reshapedRows(
      derivedTensor('c', [2, 3, 1], () => Float32Array.of(1, 2, 3, 4, 5, 6)),
      [3],
    );
    expect(matrix.shape).toEqual([2, 3]);
    expect(matrix.rows(1, 1)).toMatchObject({ shape: [1, 3] });
    expect(Array.from(matrix.rows(1, 1).float32())).toEqual([4, 5, 6]);
  });
});
