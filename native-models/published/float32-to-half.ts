/** Single to half precision, to the nearest and of two as near to the even one; too large becomes infinity. */
export function float32ToHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  const half = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) half[i] = halfOf(bits[i] ?? 0);
  return half;
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00 | (exponent === 143 && fraction !== 0 ? 0x200 : 0);
  if (exponent > 0) return sign | rounded((exponent << 23) | fraction, 13);
  // Below the smallest normal number, the leading one is written out and moved down.
  return exponent < -10 ? sign : sign | rounded(0x800000 | fraction, 14 - exponent);
}

/** A carry out of the fraction goes into the exponent, as it should. */
function rounded(value: number, dropped: number): number {
  const kept = value >>> dropped;
  const rest = value & ((1 << dropped) - 1);
  const middle = 1 << (dropped - 1);
  return kept + (rest > middle || (rest === middle && (kept & 1) === 1) ? 1 : 0);
}
