import { type GgmlBlocks, ggmlBlockElements, unpackBlocks } from '../formats/ggml-blocks.ts';
import type { LazyTensor } from '../formats/tensor-source.ts';
import type { Weight } from '../graph/definition.ts';
import type { BlockQuantized, Graph } from '../graph/graph.ts';
import { shapeMismatch, shapeText } from '../graph/shape.ts';

/** Rows of a matrix in a file, in the order they are wanted; null is the file's own order. */
export interface BlockRows {
  readonly tensor: LazyTensor;
  readonly order: ((row: number) => number) | null;
}

/** A weight matrix [N, K] in blocks of 32 along K, as MatMulNBits takes it: `w = scale · (level − 2^(bits−1)) + offset`. */
export interface BlockMatrix {
  readonly name: string;
  readonly bits: 4 | 8;
  readonly rows: number;
  readonly columns: number;
  readonly data: Weight;
  readonly scales: Weight;
  /** f32 [K/32, N], one for each block, in the order of the product with block sums; null where they are zero. */
  readonly offsets: { readonly name: string; read(): Float32Array } | null;
}

interface Converted {
  readonly data: Uint8Array;
  readonly scales: Float32Array;
  /** [N, K/32]. */
  readonly offsets: Float32Array;
}

/**
 * Puts matrices of the same width below one another and makes them block-quantised weights in the very values of the file: 4 bits
 * for Q4_0 and Q4_1, 8 bits for Q8_0; types without blocks, and mixtures, are rounded to 8 bits. Q4_1's minima stay apart as
 * offsets: MatMulNBits would take them as float zero points, with which ONNX Runtime 1.30 is forty times slower on a CPU.
 */
export function blockMatrix(name: string, parts: readonly BlockRows[]): BlockMatrix {
  const types = new Set(parts.map(({ tensor }) => tensor.type));
  if ([...types].every((type) => type === 'Q4_0' || type === 'Q4_1'))
    return quantizedMatrix(name, parts, 4, keepNibbles, types.has('Q4_1'));
  const convert = types.size === 1 && types.has('Q8_0') ? keepBytes : roundToBytes;
  return quantizedMatrix(name, parts, 8, convert, false);
}

/** A matrix that is also read as a table of rows: 8 bits without offsets, since rows are looked up and not multiplied. */
export function byteMatrix(name: string, tensor: LazyTensor): BlockMatrix {
  const convert = tensor.type === 'Q8_0' ? keepBytes : roundToBytes;
  return quantizedMatrix(name, [{ tensor, order: null }], 8, convert, false);
}

function quantizedMatrix(
  name: string,
  parts: readonly BlockRows[],
  bits: 4 | 8,
  convert: (rows: BlockRows) => Converted,
  hasOffsets: boolean,
): BlockMatrix {
  const columns = parts[0]?.tensor.shape[1] ?? 0;
  for (const { tensor } of parts)
    if (tensor.shape.length !== 2 || tensor.shape[1] !== columns || columns % ggmlBlockElements !== 0)
      throw shapeMismatch(
        `${name}: ${tensor.name} ${shapeText(tensor.shape)} is not rows of ${columns} in blocks of ${ggmlBlockElements}`,
      );
  const rows = parts.reduce((sum, { tensor }) => sum + (tensor.shape[0] ?? 0), 0);
  const blocks = columns / ggmlBlockElements;
  const converted = sharedByReads(hasOffsets ? 3 : 2, () => joined(parts.map(convert)));
  const blockBytes = (ggmlBlockElements * bits) / 8;
  return {
    ...{ name, bits, rows, columns },
    data: { type: 'uint8', shape: [rows, blocks, blockBytes], read: () => converted().data },
    scales: {
      type: 'float32',
      shape: [rows, blocks],
      read: () => new Uint8Array(converted().scales.buffer),
    },
    offsets: hasOffsets
      ? { name: `${name}.offsets`, read: () => turned(converted().offsets, rows, blocks) }
      : null,
  };
}

/** The matrix as a graph's weights, for `Graph.matMulNBits`. */
export function blockWeights(g: Graph, matrix: BlockMatrix): BlockQuantized {
  return {
    bits: matrix.bits,
    blockSize: ggmlBlockElements,
    data: g.weight(`${matrix.name}.data`, matrix.data),
    scales: g.weight(`${matrix.name}.scales`, matrix.scales),
    zeroPoints: null,
  };
}

/** The same weights, seen as a table of rows, for `Graph.gatherBlockQuantized`. */
export function blockTable(g: Graph, matrix: BlockMatrix): BlockQuantized {
  const data = { ...matrix.data, shape: [matrix.rows, (matrix.columns * matrix.bits) / 8] };
  return blockWeights(g, { ...matrix, data });
}

/** Makes a value for the first of `reads` readers and forgets it after the last, so that memory holds one matrix at a time. */
function sharedByReads<T>(reads: number, make: () => T): () => T {
  let kept: { value: T; left: number } | null = null;
  return () => {
    kept ??= { value: make(), left: reads };
    const { value } = kept;
    kept.left -= 1;
    if (kept.left === 0) kept = null;
    return value;
  };
}

/** 4-bit levels two to a byte, low nibble first. */
function keepNibbles(rows: BlockRows): Converted {
  const { levels, scales, minima } = inOrder(rows, unpacked(rows.tensor));
  const data = new Uint8Array(levels.length / 2);
  for (let i = 0; i < data.length; i++) data[i] = (levels[2 * i] ?? 0) | ((levels[2 * i + 1] ?? 0) << 4);
  return { data, scales, offsets: minima.map((minimum, block) => minimum + 8 * (scales[block] ?? 0)) };
}

function keepBytes(rows: BlockRows): Converted {
  const { levels, scales } = inOrder(rows, unpacked(rows.tensor));
  return { data: levels, scales, offsets: new Float32Array(0) };
}

/** The largest of a block becomes 127 steps: the worst error is 1/254 of it. */
function roundToBytes(rows: BlockRows): Converted {
  const values = rows.tensor.float32();
  const scales = new Float32Array(values.length / ggmlBlockElements);
  const levels = new Uint8Array(values.length);
  for (let block = 0; block < scales.length; block++) {
    const start = block * ggmlBlockElements;
    let largest = 0;
    for (let i = start; i < start + ggmlBlockElements; i++)
      largest = Math.max(largest, Math.abs(values[i] ?? 0));
    const scale = largest / 127;
    scales[block] = scale;
    for (let i = start; i < start + ggmlBlockElements; i++)
      levels[i] = 128 + (scale === 0 ? 0 : Math.round((values[i] ?? 0) / scale));
  }
  const ordered = inOrder(rows, { levels, scales, minima: scales });
  return { data: ordered.levels, scales: ordered.scales, offsets: new Float32Array(0) };
}

function unpacked(tensor: LazyTensor): GgmlBlocks {
  const { type } = tensor;
  if (type === 'Q4_0' || type === 'Q4_1' || type === 'Q8_0') return unpackBlocks(type, tensor.read());
  throw new Error(`${tensor.name} has no blocks`);
}

/** A tensor's rows in the wanted order. */
function inOrder({ tensor, order }: BlockRows, blocks: GgmlBlocks): GgmlBlocks {
  if (order === null) return blocks;
  const [rows = 0, columns = 0] = tensor.shape;
  const perRow = columns / ggmlBlockElements;
  const ordered = {
    levels: new Uint8Array(blocks.levels.length),
    scales: new Float32Array(blocks.scales.length),
    minima: new Float32Array(blocks.minima.length),
  };
  for (let row = 0; row < rows; row++) {
    const from = order(row);
    ordered.levels.set(blocks.levels.subarray(from * columns, (from + 1) * columns), row * columns);
    ordered.scales.set(blocks.scales.subarray(from * perRow, (from + 1) * perRow), row * perRow);
    ordered.minima.set(blocks.minima.subarray(from * perRow, (from + 1) * perRow), row * perRow);
  }
  return ordered;
}

function joined(parts: readonly Converted[]): Converted {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    data: new Uint8Array(Buffer.concat(parts.map(({ data }) => data))),
    scales: joinedFloats(parts.map(({ scales }) => scales)),
    offsets: joinedFloats(parts.map(({ offsets }) => offsets)),
  };
}

function joinedFloats(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** [rows, columns] → [columns, rows]. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] ?? 0;
  return result;
}
