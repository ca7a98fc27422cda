/** Every 16-bit float as a 32-bit one; built once, 256 KiB. */
let halfTable: Float32Array | null = null;

function buildHalfTable(): Float32Array {
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < table.length; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    table[bits] =
      sign *
      (exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1 + fraction / 1024) * 2 ** (exponent - 15));
  }
  return table;
}

/** IEEE 754 half to single precision, exactly. */
export function halfToFloat32(half: Uint16Array): Float32Array<ArrayBuffer> {
  halfTable ??= buildHalfTable();
  const table = halfTable;
  const single = new Float32Array(half.length);
  for (let i = 0; i < half.length; i++) single[i] = table[half[i] ?? 0] ?? 0;
  return single;
}

/** bfloat16 to single precision: the upper half of its bits. */
export function bfloat16ToFloat32(values: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = (values[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** Single to half precision, rounded to the nearest, ties to even; beyond the range it becomes infinite. */
export function float32ToHalf(single: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(single.buffer, single.byteOffset, single.length);
  const half = new Uint16Array(single.length);
  for (let i = 0; i < half.length; i++) half[i] = roundToHalf(bits[i] ?? 0);
  return half;
}

function roundToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x33000000) return sign;
  if (magnitude < 0x38800000) {
    // Below the smallest normal half: the fraction loses one more bit for each power of two.
    const shift = 126 - (magnitude >>> 23);
    const fraction = (magnitude & 0x7fffff) | 0x800000;
    return sign | roundToEven(fraction, shift);
  }
  // The rounding may carry into the exponent, which is then right as it is.
  return sign | roundToEven(magnitude - 0x38000000, 13);
}

function roundToEven(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return rest > middle || (rest === middle && (kept & 1) === 1) ? kept + 1 : kept;
}
