const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The bits of the nearest IEEE 754 half, ties to even; what is too large becomes the largest. */
export function toHalf(value: number): number {
  single[0] = value;
  const all = bits[0] ?? 0;
  const sign = (all >>> 16) & 0x8000;
  const exponent = ((all >>> 23) & 0xff) - 127;
  if (exponent > 15) return sign | 0x7bff;
  const shift = exponent < -14 ? Math.min(13 - 14 - exponent, 31) : 13;
  const significand = (all & 0x7fffff) | 0x800000;
  const kept = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const rounded = kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
  // The hidden bit adds one to the exponent; a carry adds one more, which is right as well.
  const result = exponent < -14 ? rounded : rounded + ((exponent + 14) << 10);
  return sign | Math.min(result, 0x7bff);
}
