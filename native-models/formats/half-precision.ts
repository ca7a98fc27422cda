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
  const single = new Float32Array(half.length);
  decodeHalf(half, single);
  return single;
}

/** Half to single precision, written to the start of `into`. */
export function decodeHalf(half: Uint16Array, into: Float32Array): void {
  halfTable ??= buildHalfTable();
  const table = halfTable;
  for (let i = 0; i < half.length; i++) into[i] = table[half[i] ?? 0] ?? 0;
}

/** bfloat16 to single precision, the upper half of its bits, written to the start of `into`. */
export function decodeBfloat16(values: Uint16Array, into: Float32Array): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) bits[i] = (values[i] ?? 0) << 16;
}
