import { ggmlSuperBlockElements, superBlockBytes } from './ggml-super-blocks.ts';
import { halfToFloat32 } from './half-precision.ts';

/** Elements in a block of GGML's plain `Q` types, along a row. */
export const ggmlBlockElements = 32;

/**
 * How the elements of a stored type lie in a GGUF file: `elements` of them take `bytes`. Blocks of 32 start with an f16 scale
 * (`_1`: and an f16 minimum); those of 5 bits go on with the 32 high bits; 4-bit levels put element i and element i + 16 into one
 * byte, low nibble first. Super-blocks of 256 are in ggml-super-blocks.ts.
 */
export const ggmlTypes = {
  F32: { code: 0, elements: 1, bytes: 4 },
  F16: { code: 1, elements: 1, bytes: 2 },
  Q4_0: { code: 2, elements: ggmlBlockElements, bytes: 18 },
  Q4_1: { code: 3, elements: ggmlBlockElements, bytes: 20 },
  Q5_0: { code: 6, elements: ggmlBlockElements, bytes: 22 },
  Q5_1: { code: 7, elements: ggmlBlockElements, bytes: 24 },
  Q8_0: { code: 8, elements: ggmlBlockElements, bytes: 34 },
  Q2_K: { code: 10, elements: ggmlSuperBlockElements, bytes: superBlockBytes('Q2_K') },
  Q3_K: { code: 11, elements: ggmlSuperBlockElements, bytes: superBlockBytes('Q3_K') },
  Q4_K: { code: 12, elements: ggmlSuperBlockElements, bytes: superBlockBytes('Q4_K') },
  Q5_K: { code: 13, elements: ggmlSuperBlockElements, bytes: superBlockBytes('Q5_K') },
  Q6_K: { code: 14, elements: ggmlSuperBlockElements, bytes: superBlockBytes('Q6_K') },
  I8: { code: 24, elements: 1, bytes: 1 },
  I16: { code: 25, elements: 1, bytes: 2 },
  I32: { code: 26, elements: 1, bytes: 4 },
  I64: { code: 27, elements: 1, bytes: 8 },
  F64: { code: 28, elements: 1, bytes: 8 },
  BF16: { code: 30, elements: 1, bytes: 2 },
} as const;
export type GgmlType = keyof typeof ggmlTypes;
export type GgmlBlockType = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0';

/** Quantised elements taken apart but not multiplied out: `value = scale · level + minimum`. */
export interface GgmlBlocks {
  /** One for each element, in order: 0…15 of Q4_0 and Q4_1, 0…31 of Q5_0 and Q5_1, 0…255 of Q8_0. */
  readonly levels: Uint8Array<ArrayBuffer>;
  /** One for each block. */
  readonly scales: Float32Array<ArrayBuffer>;
  readonly minima: Float32Array<ArrayBuffer>;
}

/** What stands for zero where a block has no minimum of its own. */
const zeroLevels = { Q4_0: 8, Q4_1: null, Q5_0: 16, Q5_1: null, Q8_0: 128 } as const;

/**
 * Takes the bytes of whole blocks apart, exactly: Q4_0 is `d·(q − 8)`, Q5_0 `d·(q − 16)`, Q4_1 and Q5_1 `d·q + m`, Q8_0 `d·q` with
 * q moved up by 128.
 */
export function unpackBlocks(type: GgmlBlockType, bytes: Uint8Array): GgmlBlocks {
  const blockBytes = ggmlTypes[type].bytes;
  const count = Math.floor(bytes.length / blockBytes);
  const levels = new Uint8Array(count * ggmlBlockElements);
  const zeroLevel = zeroLevels[type];
  const scales = new Uint16Array(count);
  const minima = new Uint16Array(zeroLevel === null ? count : 0);
  for (let block = 0; block < count; block++) {
    let at = block * blockBytes;
    const first = block * ggmlBlockElements;
    scales[block] = half(bytes, at);
    at += 2;
    if (zeroLevel === null) {
      minima[block] = half(bytes, at);
      at += 2;
    }
    if (type === 'Q8_0')
      for (let i = 0; i < ggmlBlockElements; i++) levels[first + i] = (bytes[at + i] ?? 0) ^ 0x80;
    else if (type === 'Q5_0' || type === 'Q5_1') fiveBitLevels(bytes, at, levels, first);
    else nibbleLevels(bytes, at, levels, first);
  }
  const single = halfToFloat32(scales);
  return {
    levels,
    scales: single,
    minima: zeroLevel === null ? halfToFloat32(minima) : single.map((scale) => -zeroLevel * scale),
  };
}

/** The values of whole blocks in single precision, written to the start of `into`. */
export function decodeBlocks(type: GgmlBlockType, bytes: Uint8Array, into: Float32Array): void {
  const { levels, scales, minima } = unpackBlocks(type, bytes);
  for (let i = 0; i < levels.length; i++) {
    const block = i >> 5;
    into[i] = (scales[block] ?? 0) * (levels[i] ?? 0) + (minima[block] ?? 0);
  }
}

/** The values of whole blocks in single precision. */
export function blocksToFloat32(type: GgmlBlockType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { elements, bytes: blockBytes } = ggmlTypes[type];
  const values = new Float32Array(Math.floor(bytes.length / blockBytes) * elements);
  decodeBlocks(type, bytes, values);
  return values;
}

function nibbleLevels(bytes: Uint8Array, start: number, levels: Uint8Array, first: number): void {
  for (let i = 0; i < 16; i++) {
    const pair = bytes[start + i] ?? 0;
    levels[first + i] = pair & 15;
    levels[first + 16 + i] = pair >> 4;
  }
}

/** u32 of high bits, element by element, before the nibbles. */
function fiveBitLevels(bytes: Uint8Array, start: number, levels: Uint8Array, first: number): void {
  nibbleLevels(bytes, start + 4, levels, first);
  for (let i = 0; i < ggmlBlockElements; i++) {
    const high = ((bytes[start + (i >> 3)] ?? 0) >> (i & 7)) & 1;
    levels[first + i] = (levels[first + i] ?? 0) | (high << 4);
  }
}

function half(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
