import type { LazyTensor } from '../formats/tensor-source.ts';
import { bytesOf } from './streamed-weight.ts';

/** Rows of a matrix in a file, in the order they are wanted; null is the file's own order. */
export interface BlockRows {
  readonly tensor: LazyTensor;
  readonly order: ((row: number) => number) | null;
}

/** Elements that pass through memory at a time: 8 MB in single precision. */
const chunkElements = 2 ** 21;

/** Rows of matrices below one another, some at a time, in the bytes that the file has for them. */
export function* storedRows(parts: readonly BlockRows[]): Generator<Uint8Array> {
  for (const part of parts)
    for (const [first, count] of chunksOf(part)) yield rowsOf(part, first, count, (tensor) => tensor.read());
}

/** The same rows in single precision. */
export function* floatRows(parts: readonly BlockRows[]): Generator<Float32Array> {
  for (const part of parts)
    for (const [first, count] of chunksOf(part)) {
      const bytes = rowsOf(part, first, count, (tensor) => bytesOf(tensor.float32()));
      yield new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    }
}

function* chunksOf({ tensor }: BlockRows): Generator<[first: number, count: number]> {
  const [rows = 0, ...rest] = tensor.shape;
  const width = rest.reduce((product, size) => product * size, 1);
  const most = Math.max(1, Math.floor(chunkElements / width));
  for (let first = 0; first < rows; first += most) yield [first, Math.min(most, rows - first)];
}

/** Orders that move rows within a neighbourhood, such as a head, are read as one span. */
function rowsOf(
  { tensor, order }: BlockRows,
  first: number,
  count: number,
  read: (rows: LazyTensor) => Uint8Array,
): Uint8Array {
  if (order === null) return read(tensor.rows(first, count));
  const wanted = Array.from({ length: count }, (_, i) => order(first + i));
  const start = wanted.reduce((least, row) => Math.min(least, row));
  const end = wanted.reduce((most, row) => Math.max(most, row)) + 1;
  const near = end - start <= 1.5 * count;
  const span = near ? read(tensor.rows(start, end - start)) : null;
  const width = span === null ? read(tensor.rows(start, 1)).length : span.length / (end - start);
  const ordered = new Uint8Array(count * width);
  wanted.forEach((row, i) => {
    const from = (row - start) * width;
    ordered.set(span?.subarray(from, from + width) ?? read(tensor.rows(row, 1)), i * width);
  });
  return ordered;
}
