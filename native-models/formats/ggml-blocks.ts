import { halfToFloat32 } from './half-precision.ts';

/** Elements in a block of GGML's `Q` types, along a row. */
export const ggmlBlockElements = 32;

/**
 * How the elements of a stored type lie in a GGUF file: `elements` of them take `bytes`. Blocks start with an f16 scale (Q4_1: and
 * an f16 minimum); 4-bit blocks put element i and element i + 16 into one byte, low nibble first.
 */
export const ggmlTypes = {
  F32: { code: 0, elements: 1, bytes: 4 },
  F16: { code: 1, elements: 1, bytes: 2 },
  Q4_0: { code: 2, elements: ggmlBlockElements, bytes: 18 },
  Q4_1: { code: 3, elements: ggmlBlockElements, bytes: 20 },
  Q8_0: { code: 8, elements: ggmlBlockElements, bytes: 34 },
  BF16: { code: 30, elements: 1, bytes: 2 },
} as const;
export type GgmlType = keyof typeof ggmlTypes;
export type GgmlBlockType = 'Q4_0' | 'Q4_1' | 'Q8_0';

/** Quantised elements taken apart but not multiplied out: `value = scale · level + minimum`. */
export interface GgmlBlocks {
  /** One for each element, in order: 0…15 of Q4_0 and Q4_1, 0…255 of Q8_0. */
  readonly levels: Uint8Array<ArrayBuffer>;
  /** One for each block. */
  readonly scales: Float32Array<ArrayBuffer>;
  readonly minima: Float32Array<ArrayBuffer>;
}

/** Takes the bytes of whole blocks apart, exactly: Q4_0 is `d·(q − 8)`, Q4_1 `d·q + m`, Q8_0 `d·q` with q moved up by 128. */
export function unpackBlocks(type: GgmlBlockType, bytes: Uint8Array): GgmlBlocks {
  const blockBytes = ggmlTypes[type].bytes;
  const count = bytes.length / blockBytes;
  const levels = new Uint8Array(count * ggmlBlockElements);
  const halves = new Uint16Array(2 * count);
  for (let block = 0; block < count; block++) {
    const start = block * blockBytes;
    const first = block * ggmlBlockElements;
    halves[block] = (bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8);
    if (type === 'Q8_0') {
      for (let i = 0; i < ggmlBlockElements; i++) levels[first + i] = (bytes[start + 2 + i] ?? 0) ^ 0x80;
      continue;
    }
    if (type === 'Q4_1') halves[count + block] = (bytes[start + 2] ?? 0) | ((bytes[start + 3] ?? 0) << 8);
    const nibbles = start + (type === 'Q4_1' ? 4 : 2);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[nibbles + i] ?? 0;
      levels[first + i] = pair & 15;
      levels[first + 16 + i] = pair >> 4;
    }
  }
  const scales = halfToFloat32(halves.subarray(0, count));
  const offset = type === 'Q8_0' ? -128 : -8;
  const minima =
    type === 'Q4_1' ? halfToFloat32(halves.subarray(count)) : scales.map((scale) => offset * scale);
  return { levels, scales, minima };
}

/** The values of whole blocks in single precision. */
export function blocksToFloat32(type: GgmlBlockType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { levels, scales, minima } = unpackBlocks(type, bytes);
  const values = new Float32Array(levels.length);
  for (let i = 0; i < values.length; i++) {
    const block = Math.floor(i / ggmlBlockElements);
    values[i] = (scales[block] ?? 0) * (levels[i] ?? 0) + (minima[block] ?? 0);
  }
  return values;
}
