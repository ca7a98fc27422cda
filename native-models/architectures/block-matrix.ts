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

/** A weight matrix [N, K] as MatMulNBits and GatherBlockQuantized take it, blocks of 32 along K. */
export interface BlockMatrix {
  readonly name: string;
  readonly bits: 4 | 8;
  readonly rows: number;
  readonly columns: number;
  readonly data: Weight;
  readonly scales: Weight;
  /** null: the middle, 2^(bits−1). */
  readonly zeroPoints: Weight | null;
}

interface Converted {
  readonly data: Uint8Array;
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array;
}

/**
 * Puts matrices of the same width below one another and makes them block-quantised weights. Q4_0 stays as it is, 4 bits, and Q8_0
 * as it is, 8 bits. Q4_1 becomes 8 bits: its float minima would need float zero points, with which ONNX Runtime 1.30 multiplies
 * forty times slower on a CPU; 8 bits with a whole zero point hold the same values to about a five-hundredth of a Q4_1 step, and
 * cost a fifth more time than 4 bits. Other types are rounded to 8 bits.
 */
export function blockMatrix(name: string, parts: readonly BlockRows[]): BlockMatrix {
  const columns = parts[0]?.tensor.shape[1] ?? 0;
  for (const { tensor } of parts)
    if (tensor.shape.length !== 2 || tensor.shape[1] !== columns || columns % ggmlBlockElements !== 0)
      throw shapeMismatch(
        `${name}: ${tensor.name} ${shapeText(tensor.shape)} is not rows of ${columns} in blocks of ${ggmlBlockElements}`,
      );
  const rows = parts.reduce((sum, { tensor }) => sum + (tensor.shape[0] ?? 0), 0);
  const blocks = columns / ggmlBlockElements;
  const types = new Set(parts.map(({ tensor }) => tensor.type));
  const bits = types.size === 1 && types.has('Q4_0') ? 4 : 8;
  const symmetric = bits === 4 || !(types.has('Q4_0') || types.has('Q4_1'));
  const convert = bits === 4 ? keepNibbles : toBytes;
  const converted = sharedByReads(symmetric ? 2 : 3, () =>
    joined(parts.map((part) => convert(inOrder(part)))),
  );
  return {
    name,
    bits,
    rows,
    columns,
    data: {
      type: 'uint8',
      shape: [rows, blocks, (ggmlBlockElements * bits) / 8],
      read: () => converted().data,
    },
    scales: {
      type: 'float32',
      shape: [rows, blocks],
      read: () => new Uint8Array(converted().scales.buffer),
    },
    zeroPoints: symmetric
      ? null
      : { type: 'uint8', shape: [rows, blocks], read: () => converted().zeroPoints },
  };
}

/** The matrix as a graph's weights, for `Graph.matMulNBits`. */
export function blockWeights(g: Graph, matrix: BlockMatrix): BlockQuantized {
  return {
    bits: matrix.bits,
    blockSize: ggmlBlockElements,
    data: g.weight(`${matrix.name}.data`, matrix.data),
    scales: g.weight(`${matrix.name}.scales`, matrix.scales),
    zeroPoints: matrix.zeroPoints && g.weight(`${matrix.name}.zeroPoints`, matrix.zeroPoints),
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

/** A part's elements as levels, scales and minima, its rows in the wanted order. */
function inOrder({ tensor, order }: BlockRows): GgmlBlocks {
  const [rows = 0, columns = 0] = tensor.shape;
  const blocks = unpacked(tensor);
  if (order === null) return blocks;
  const perRow = columns / ggmlBlockElements;
  const sorted = {
    mostLevel: blocks.mostLevel,
    levels: new Uint8Array(blocks.levels.length),
    scales: new Float32Array(blocks.scales.length),
    minima: new Float32Array(blocks.minima.length),
  };
  for (let row = 0; row < rows; row++) {
    const from = order(row);
    sorted.levels.set(blocks.levels.subarray(from * columns, (from + 1) * columns), row * columns);
    sorted.scales.set(blocks.scales.subarray(from * perRow, (from + 1) * perRow), row * perRow);
    sorted.minima.set(blocks.minima.subarray(from * perRow, (from + 1) * perRow), row * perRow);
  }
  return sorted;
}

function unpacked(tensor: LazyTensor): GgmlBlocks {
  if (tensor.type === 'Q4_0' || tensor.type === 'Q4_1' || tensor.type === 'Q8_0')
    return unpackBlocks(tensor.type, tensor.read());
  const values = tensor.float32();
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
  return { levels, mostLevel: 255, scales, minima: scales.map((scale) => -128 * scale) };
}

/** 4-bit levels two to a byte, low nibble first; the zero point is 8. */
function keepNibbles({ levels, scales }: GgmlBlocks): Converted {
  const data = new Uint8Array(levels.length / 2);
  for (let i = 0; i < data.length; i++) data[i] = (levels[2 * i] ?? 0) | ((levels[2 * i + 1] ?? 0) << 4);
  return { data, scales, zeroPoints: new Uint8Array(0) };
}

/**
 * `scale · level + minimum` as `step · (byte − zeroPoint)`: each block takes the whole number of steps to a level, 1 to 17, with
 * which its zero point comes nearest to a whole number. Blocks whose zero lies outside a byte keep their values by rounding.
 */
function toBytes({ levels, mostLevel, scales, minima }: GgmlBlocks): Converted {
  const data = new Uint8Array(levels.length);
  const steps = new Float32Array(scales.length);
  const zeroPoints = new Uint8Array(scales.length);
  const most = 255 / mostLevel;
  for (let block = 0; block < scales.length; block++) {
    const scale = scales[block] ?? 0;
    const minimum = minima[block] ?? 0;
    const start = block * ggmlBlockElements;
    const zero = -minimum / scale;
    if (!(zero >= 0 && zero * Math.ceil(most / 2) <= 255)) {
      steps[block] = roundBlock(data, levels, start, scale, minimum);
      zeroPoints[block] = 128;
      continue;
    }
    const factor = bestFactor(zero, most);
    steps[block] = scale / factor;
    zeroPoints[block] = Math.round(zero * factor);
    for (let i = start; i < start + ggmlBlockElements; i++) data[i] = (levels[i] ?? 0) * factor;
  }
  return { data, scales: steps, zeroPoints };
}

/** The factor from `most` down to half of it that brings `zero · factor` nearest to a whole number within a byte. */
function bestFactor(zero: number, most: number): number {
  let best = 1;
  let leastError = Number.POSITIVE_INFINITY;
  for (let factor = most; factor >= most / 2; factor--) {
    const exact = zero * factor;
    const error = Math.abs(exact - Math.round(exact)) / factor;
    if (exact <= 255 && error < leastError) {
      best = factor;
      leastError = error;
    }
  }
  return best;
}

/** Rounds a block to bytes around 128 and returns its step: for blocks that lie on one side of zero. */
function roundBlock(
  data: Uint8Array,
  levels: Uint8Array,
  start: number,
  scale: number,
  minimum: number,
): number {
  let largest = 0;
  for (let i = start; i < start + ggmlBlockElements; i++)
    largest = Math.max(largest, Math.abs(scale * (levels[i] ?? 0) + minimum));
  const step = largest / 127;
  for (let i = start; i < start + ggmlBlockElements; i++)
    data[i] = 128 + (step === 0 ? 0 : Math.round((scale * (levels[i] ?? 0) + minimum) / step));
  return step;
}

function joined(parts: readonly Converted[]): Converted {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const bytes = (pieces: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(pieces));
  const scales = new Float32Array(parts.reduce((sum, part) => sum + part.scales.length, 0));
  let at = 0;
  for (const part of parts) {
    scales.set(part.scales, at);
    at += part.scales.length;
  }
  return {
    data: bytes(parts.map(({ data }) => data)),
    scales,
    zeroPoints: bytes(parts.map(({ zeroPoints }) => zeroPoints)),
  };
}
