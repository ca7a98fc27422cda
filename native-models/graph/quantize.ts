import type { Weight } from './definition.ts';

const blockSize = 32;

/** A weight matrix `[N, K]` in blocks of 32 along K: what `Graph.matMulNBits` takes, once made into weights. */
export interface BlockQuantizedWeights {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly data: Weight;
  readonly scales: Weight;
}

/** An int8 matrix `[K, N]` with one f32 scale for each of its N columns: what `Graph.dynamicQuantizeMatMul` takes. */
export interface ColumnQuantizedWeights {
  readonly data: Weight;
  readonly scales: Weight;
}

/** Reads rows `[N, K]` of a matrix, as PyTorch keeps a linear layer. Called again for each of the two weights. */
type ReadRows = () => Float32Array;

/**
 * 8 bits in blocks of 32, symmetric around 128: `w ≈ scale · (q − 128)`, the largest of a block at ±127. The worst error is half
 * a step, 1/254 of a block's largest value.
 */
export function quantizeBlocks8(rows: number, columns: number, read: ReadRows): BlockQuantizedWeights {
  const blocks = Math.ceil(columns / blockSize);
  const scalesOf = (values: Float32Array) => {
    const scales = new Float32Array(rows * blocks);
    for (let row = 0; row < rows; row++)
      for (let block = 0; block < blocks; block++) {
        const start = row * columns + block * blockSize;
        const end = Math.min(start + blockSize, (row + 1) * columns);
        scales[row * blocks + block] = largest(values, start, end) / 127;
      }
    return scales;
  };
  return {
    bits: 8,
    blockSize,
    data: {
      type: 'uint8',
      shape: [rows, blocks, blockSize],
      read: () => {
        const values = read();
        const scales = scalesOf(values);
        const quantized = new Uint8Array(rows * blocks * blockSize).fill(128);
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++) {
            const scale = scales[row * blocks + Math.floor(column / blockSize)] ?? 0;
            const value = values[row * columns + column] ?? 0;
            quantized[row * blocks * blockSize + column] =
              128 + (scale === 0 ? 0 : Math.round(value / scale));
          }
        return quantized;
      },
    },
    scales: { type: 'float32', shape: [rows, blocks], read: () => bytesOf(scalesOf(read())) },
  };
}

/**
 * int8 with one scale for each output: `w ≈ scale · q`, transposed from PyTorch's `[N, K]` to `[K, N]`. Coarser than blocks, and
 * the fastest on CPUs with int8 dot products, since inputs are quantised on the way.
 */
export function quantizeColumns8(outputs: number, inputs: number, read: ReadRows): ColumnQuantizedWeights {
  const scalesOf = (values: Float32Array) =>
    Float32Array.from({ length: outputs }, (_, n) => largest(values, n * inputs, (n + 1) * inputs) / 127);
  return {
    data: {
      type: 'int8',
      shape: [inputs, outputs],
      read: () => {
        const values = read();
        const scales = scalesOf(values);
        const quantized = new Int8Array(inputs * outputs);
        for (let n = 0; n < outputs; n++) {
          const scale = scales[n] ?? 0;
          if (scale === 0) continue;
          for (let k = 0; k < inputs; k++)
            quantized[k * outputs + n] = Math.round((values[n * inputs + k] ?? 0) / scale);
        }
        return bytesOf(quantized);
      },
    },
    scales: { type: 'float32', shape: [outputs], read: () => bytesOf(scalesOf(read())) },
  };
}

/** Single precision values as a weight. */
export function floatWeight(shape: readonly number[], read: () => Float32Array): Weight {
  return { type: 'float32', shape, read: () => bytesOf(read()) };
}

/** `[rows, columns]` turned into `[columns, rows]`: PyTorch's linear layers are the transpose of what MatMul takes. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column] ?? 0;
  return turned;
}

function largest(values: Float32Array, start: number, end: number): number {
  let most = 0;
  for (let i = start; i < end; i++) most = Math.max(most, Math.abs(values[i] ?? 0));
  return most;
}

export function bytesOf(values: Float32Array | Int8Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
