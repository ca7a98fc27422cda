import { requireRows } from './plain-tensor.ts';
import type { LazyTensor } from './tensor-source.ts';

/** Rows of a matrix by their numbers, in that order: as a tensor of its own, in the bytes that the file has for them. */
export function pickedRows(tensor: LazyTensor, name: string, numbers: readonly number[]): LazyTensor {
  const width = tensor.shape.slice(1);
  const self: LazyTensor = {
    name,
    type: tensor.type,
    shape: [numbers.length, ...width],
    read: () => new Uint8Array(Buffer.concat(numbers.map((number) => tensor.rows(number, 1).read()))),
    float32: () => {
      const size = width.reduce((product, length) => product * length, 1);
      const values = new Float32Array(numbers.length * size);
      numbers.forEach((number, row) => {
        values.set(tensor.rows(number, 1).float32(), row * size);
      });
      return values;
    },
    rows(first, count) {
      requireRows(self, first, count);
      return pickedRows(tensor, name, numbers.slice(first, first + count));
    },
  };
  return self;
}
