import { requireRows } from './plain-tensor.ts';
import type { LazyTensor } from './tensor-source.ts';

/** A tensor that is computed from others when it is asked for, in single precision: `values` gives it row after row. */
export function derivedTensor(
  name: string,
  shape: readonly number[],
  values: () => Float32Array<ArrayBuffer>,
): LazyTensor {
  const self: LazyTensor = {
    name,
    type: 'F32',
    shape,
    float32: values,
    read: () => {
      const { buffer, byteOffset, byteLength } = values();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    rows(first, count) {
      requireRows(self, first, count);
      const [all = 1, ...rest] = shape;
      return derivedTensor(name, [count, ...rest], () => {
        const whole = values();
        const row = whole.length / all;
        return whole.slice(first * row, (first + count) * row);
      });
    },
  };
  return self;
}
