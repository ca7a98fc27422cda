import type { LazyTensor } from '../formats/tensor-source.ts';
import type { Weight } from '../graph/definition.ts';
import { shapeMismatch } from '../graph/shape.ts';
import { floatRows } from './row-chunks.ts';
import { bytesOf, streamedWeight } from './streamed-weight.ts';

/** Rows of a matrix, as PyTorch's Linear keeps it: [out, in]. */
export interface MatrixRows {
  readonly tensor: LazyTensor;
  readonly first: number;
  readonly rows: number;
  readonly columns: number;
}

/** A matrix, or some rows of one. Throws `shape-mismatch` when it has not those rows. */
export function matrixRows(tensor: LazyTensor, first = 0, rows?: number): MatrixRows {
  const [all = 0, columns = 0, ...rest] = tensor.shape;
  const count = rows ?? all - first;
  if (rest.length > 0 || columns === 0 || count <= 0 || first + count > all)
    throw shapeMismatch(
      `${tensor.name} [${tensor.shape.join(', ')}] has no rows ${first} to ${first + count}`,
    );
  return { tensor, first, rows: count, columns };
}

/** A tensor in single precision, in its own shape or another of the same size. Throws `shape-mismatch` when it has another. */
export function floatWeight(tensor: LazyTensor, shape: readonly number[] = tensor.shape): Weight {
  if (sizeOf(shape) !== sizeOf(tensor.shape))
    throw shapeMismatch(`${tensor.name} [${tensor.shape.join(', ')}] is not [${shape.join(', ')}]`);
  return { type: 'float32', shape, read: () => bytesOf(tensor.float32()) };
}

/** Elements `first` to `first + count` of a vector, in single precision. Throws `shape-mismatch` when it is shorter. */
export function floatSlice(tensor: LazyTensor, first: number, count: number): Weight {
  if (tensor.shape.length !== 1 || first + count > sizeOf(tensor.shape))
    throw shapeMismatch(`${tensor.name} [${tensor.shape.join(', ')}] has no ${first + count} elements`);
  return {
    type: 'float32',
    shape: [count],
    read: () => bytesOf(tensor.float32().slice(first, first + count)),
  };
}

/** int8 [in, out] with one scale for each output: what DynamicQuantizeMatMul multiplies. */
export function int8Columns(matrix: MatrixRows): { data: Weight; scales: Weight } {
  const { rows, columns } = matrix;
  return {
    data: {
      type: 'int8',
      shape: [columns, rows],
      read: () => {
        const data = new Int8Array(rows * columns);
        let row = 0;
        for (const values of chunksOf(matrix))
          for (let start = 0; start < values.length; start += columns, row++) {
            const scale = scaleOf(values, start, columns);
            for (let column = 0; column < columns; column++)
              data[column * rows + row] = Math.round((values[start + column] ?? 0) / scale);
          }
        return bytesOf(data);
      },
    },
    scales: streamedWeight('float32', [rows], () => scaleChunks(matrix, columns)),
  };
}

/** 8 bits [out, in / block, block] around 128, with a scale for each block: what MatMulNBits multiplies. */
export function byteBlocks(matrix: MatrixRows, block: number): { data: Weight; scales: Weight } {
  const { rows, columns } = matrix;
  if (columns % block !== 0)
    throw shapeMismatch(`${matrix.tensor.name}: ${columns} columns are not whole blocks of ${block}`);
  function* levels() {
    for (const values of chunksOf(matrix)) {
      const data = new Uint8Array(values.length);
      for (let start = 0; start < values.length; start += block) {
        const scale = scaleOf(values, start, block);
        for (let i = start; i < start + block; i++) data[i] = Math.round((values[i] ?? 0) / scale) + 128;
      }
      yield data;
    }
  }
  return {
    data: streamedWeight('uint8', [rows, columns / block, block], levels),
    scales: streamedWeight('float32', [rows, columns / block], () => scaleChunks(matrix, block)),
  };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function chunksOf({ tensor, first, rows }: MatrixRows): Iterable<Float32Array> {
  return floatRows([{ tensor: tensor.rows(first, rows), order: null }]);
}

/** The largest magnitude becomes 127; a group of zeros may have any scale. */
function scaleOf(values: Float32Array, start: number, count: number): number {
  let largest = 0;
  for (let i = start; i < start + count; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
  return largest === 0 ? 1 : Math.fround(largest / 127);
}

function* scaleChunks(matrix: MatrixRows, group: number): Generator<Uint8Array> {
  for (const values of chunksOf(matrix))
    yield bytesOf(
      Float32Array.from({ length: values.length / group }, (_, i) => scaleOf(values, i * group, group)),
    );
}
