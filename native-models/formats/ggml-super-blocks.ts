import { halfToFloat32 } from './half-precision.ts';

/** Elements in a super-block of GGML's `K` types, along a row. */
export const ggmlSuperBlockElements = 256;

/** Bytes of a super-block, elements that share a sub-scale, and the level that stands for zero. */
const layouts = {
  Q2_K: { bytes: 84, groupElements: 16, zeroLevel: 0, hasMinima: true, unpack: unpackQ2K },
  Q3_K: { bytes: 110, groupElements: 16, zeroLevel: 4, hasMinima: false, unpack: unpackQ3K },
  Q4_K: { bytes: 144, groupElements: 32, zeroLevel: 0, hasMinima: true, unpack: unpackQ4K },
  Q5_K: { bytes: 176, groupElements: 32, zeroLevel: 0, hasMinima: true, unpack: unpackQ5K },
  Q6_K: { bytes: 210, groupElements: 16, zeroLevel: 32, hasMinima: false, unpack: unpackQ6K },
} as const;
export type GgmlSuperBlockType = keyof typeof layouts;

/**
 * Super-blocks taken apart but not multiplied out. Element `e` of the tensor lies in group `g = ⌊e / groupElements⌋` and super-block
 * `s = ⌊e / 256⌋`, and its value is exactly
 *
 *     d[s] · scales[g] · (levels[e] − zeroLevel) − dmin[s] · minima[g]
 *
 * in which `d · scales` fits into 19 bits of a significand and the first product into 24. Elements, groups and super-blocks are in
 * the order of the tensor's own elements, row after row: nothing is left of the order within a super-block's bytes.
 */
export interface GgmlSuperBlocks {
  /** One for each element: 2 bits of Q2_K, 3 of Q3_K, 4 of Q4_K, 5 of Q5_K, 6 of Q6_K. */
  readonly levels: Uint8Array<ArrayBuffer>;
  /** Elements that share a scale and a minimum: 32 of Q4_K and Q5_K, 16 of the others. */
  readonly groupElements: 16 | 32;
  readonly zeroLevel: 0 | 4 | 32;
  /** One integer for each group: 0…15 of Q2_K, −32…31 of Q3_K, 0…63 of Q4_K and Q5_K, −128…127 of Q6_K. */
  readonly scales: Int8Array<ArrayBuffer>;
  /** One integer for each group: 0…15 of Q2_K, 0…63 of Q4_K and Q5_K; null where the type has none. */
  readonly minima: Uint8Array<ArrayBuffer> | null;
  /** The bits of an f16 for each super-block, `halfToFloat32` gives its value. */
  readonly d: Uint16Array<ArrayBuffer>;
  /** Likewise; null where the type has no minima. */
  readonly dmin: Uint16Array<ArrayBuffer> | null;
}

interface Target {
  readonly levels: Uint8Array;
  readonly scales: Int8Array;
  readonly minima: Uint8Array;
  readonly d: Uint16Array;
  readonly dmin: Uint16Array;
}

/** Bytes of one super-block. */
export function superBlockBytes(type: GgmlSuperBlockType): number {
  return layouts[type].bytes;
}

/** Takes the bytes of whole super-blocks apart. */
export function unpackSuperBlocks(type: GgmlSuperBlockType, bytes: Uint8Array): GgmlSuperBlocks {
  const { bytes: blockBytes, groupElements, zeroLevel, hasMinima, unpack } = layouts[type];
  const count = Math.floor(bytes.length / blockBytes);
  const groups = (count * ggmlSuperBlockElements) / groupElements;
  const levels = new Uint8Array(count * ggmlSuperBlockElements);
  const scales = new Int8Array(groups);
  const minima = new Uint8Array(hasMinima ? groups : 0);
  const d = new Uint16Array(count);
  const dmin = new Uint16Array(hasMinima ? count : 0);
  const target = { levels, scales, minima, d, dmin };
  for (let block = 0; block < count; block++) unpack(bytes, block * blockBytes, target, block);
  return {
    ...{ levels, groupElements, zeroLevel, scales, d },
    minima: hasMinima ? minima : null,
    dmin: hasMinima ? dmin : null,
  };
}

/** The values of whole super-blocks in single precision, written to the start of `into`. */
export function decodeSuperBlocks(type: GgmlSuperBlockType, bytes: Uint8Array, into: Float32Array): void {
  const { levels, groupElements, zeroLevel, scales, minima, d, dmin } = unpackSuperBlocks(type, bytes);
  const [scale, minimum] = [halfToFloat32(d), dmin === null ? null : halfToFloat32(dmin)];
  for (let group = 0; group < scales.length; group++) {
    const first = group * groupElements;
    const step = (scale[first >> 8] ?? 0) * (scales[group] ?? 0);
    const offset =
      minima === null || minimum === null ? 0 : (minimum[first >> 8] ?? 0) * (minima[group] ?? 0);
    for (let i = first; i < first + groupElements; i++)
      into[i] = step * ((levels[i] ?? 0) - zeroLevel) - offset;
  }
}

/** scales[16] (scale in the low nibble, minimum in the high one), qs[64], d, dmin. */
function unpackQ2K(bytes: Uint8Array, start: number, target: Target, block: number): void {
  for (let group = 0; group < 16; group++) {
    const pair = bytes[start + group] ?? 0;
    target.scales[block * 16 + group] = pair & 15;
    target.minima[block * 16 + group] = pair >> 4;
  }
  twoBitLevels(bytes, start + 16, target.levels, block);
  target.d[block] = half(bytes, start + 80);
  target.dmin[block] = half(bytes, start + 82);
}

/** hmask[32] (the third bit), qs[64], 16 scales of 6 bits in 12 bytes, d. */
function unpackQ3K(bytes: Uint8Array, start: number, target: Target, block: number): void {
  twoBitLevels(bytes, start + 32, target.levels, block);
  for (let i = 0; i < ggmlSuperBlockElements; i++) {
    const at = block * ggmlSuperBlockElements + i;
    const high = ((bytes[start + (i & 31)] ?? 0) >> (i >> 5)) & 1;
    target.levels[at] = (target.levels[at] ?? 0) | (high << 2);
  }
  const packed = start + 96;
  for (let group = 0; group < 16; group++) {
    const low = ((bytes[packed + (group & 7)] ?? 0) >> (group < 8 ? 0 : 4)) & 15;
    const high = ((bytes[packed + 8 + (group & 3)] ?? 0) >> (2 * (group >> 2))) & 3;
    target.scales[block * 16 + group] = (low | (high << 4)) - 32;
  }
  target.d[block] = half(bytes, start + 108);
}

/** d, dmin, 8 scales and 8 minima of 6 bits in 12 bytes, qs[128]. */
function unpackQ4K(bytes: Uint8Array, start: number, target: Target, block: number): void {
  sixBitPairs(bytes, start, target, block);
  fourBitLevels(bytes, start + 16, target.levels, block);
}

/** As Q4_K, with qh[32] before qs: bit g of byte l is the fifth bit of element l of group g. */
function unpackQ5K(bytes: Uint8Array, start: number, target: Target, block: number): void {
  sixBitPairs(bytes, start, target, block);
  fourBitLevels(bytes, start + 48, target.levels, block);
  for (let i = 0; i < ggmlSuperBlockElements; i++) {
    const at = block * ggmlSuperBlockElements + i;
    const high = ((bytes[start + 16 + (i & 31)] ?? 0) >> (i >> 5)) & 1;
    target.levels[at] = (target.levels[at] ?? 0) | (high << 4);
  }
}

/** ql[128], qh[64], 16 signed scales, d: halves of 128 elements, a quarter of each under every two bits of qh. */
function unpackQ6K(bytes: Uint8Array, start: number, target: Target, block: number): void {
  for (let i = 0; i < ggmlSuperBlockElements; i++) {
    const [side, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31];
    const low = (bytes[start + 64 * side + 32 * (quarter & 1) + l] ?? 0) >> (quarter < 2 ? 0 : 4);
    const high = (bytes[start + 128 + 32 * side + l] ?? 0) >> (2 * quarter);
    target.levels[block * ggmlSuperBlockElements + i] = (low & 15) | ((high & 3) << 4);
  }
  for (let group = 0; group < 16; group++)
    target.scales[block * 16 + group] = bytes[start + 192 + group] ?? 0;
  target.d[block] = half(bytes, start + 208);
}

/** Halves of 128 elements over 32 bytes; within one, every two bits of the bytes are 32 elements. */
function twoBitLevels(bytes: Uint8Array, start: number, levels: Uint8Array, block: number): void {
  for (let i = 0; i < ggmlSuperBlockElements; i++)
    levels[block * ggmlSuperBlockElements + i] =
      ((bytes[start + 32 * (i >> 7) + (i & 31)] ?? 0) >> (2 * ((i >> 5) & 3))) & 3;
}

/** Quarters of 64 elements over 32 bytes: 32 in the low nibbles, then 32 in the high ones. */
function fourBitLevels(bytes: Uint8Array, start: number, levels: Uint8Array, block: number): void {
  for (let i = 0; i < ggmlSuperBlockElements; i++)
    levels[block * ggmlSuperBlockElements + i] =
      ((bytes[start + 32 * (i >> 6) + (i & 31)] ?? 0) >> (i & 32 ? 4 : 0)) & 15;
}

/** d, dmin, then four bytes of scales, four of minima, and four of the other groups' low nibbles; high bits lie above. */
function sixBitPairs(bytes: Uint8Array, start: number, target: Target, block: number): void {
  target.d[block] = half(bytes, start);
  target.dmin[block] = half(bytes, start + 2);
  const packed = start + 4;
  for (let group = 0; group < 4; group++) {
    const [scale, minimum] = [bytes[packed + group] ?? 0, bytes[packed + 4 + group] ?? 0];
    const nibbles = bytes[packed + 8 + group] ?? 0;
    target.scales[block * 8 + group] = scale & 63;
    target.minima[block * 8 + group] = minimum & 63;
    target.scales[block * 8 + 4 + group] = (nibbles & 15) | ((scale >> 6) << 4);
    target.minima[block * 8 + 4 + group] = (nibbles >> 4) | ((minimum >> 6) << 4);
  }
}

function half(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
