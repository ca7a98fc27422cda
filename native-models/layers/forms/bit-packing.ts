// Levels, one to a byte, packed into the fewest bytes. Orders within a block are those that unbit-packing nodes give back with
// the fewest steps (bit-unpacking.ts): a few masks and shifts over whole planes, put one behind another.

/** Two levels of 4 bits to a byte, the first in the low nibble, as MatMulNBits takes them. */
export function packNibbles(levels: Uint8Array): Uint8Array {
  const packed = new Uint8Array(levels.length / 2);
  for (let i = 0; i < packed.length; i++)
    packed[i] = ((levels[2 * i] ?? 0) & 15) | (((levels[2 * i + 1] ?? 0) & 15) << 4);
  return packed;
}

/**
 * One bit of each level. A block of bits becomes four planes, each of an eighth of the block in bytes of two nibbles; byte t keeps
 * the bits of all planes' bytes t: of plane p in bit `places[p]` (low nibble) and four above it (high nibble).
 */
export function packBits(
  levels: Uint8Array,
  bit: number,
  block: number,
  places: readonly [number, number, number, number],
): Uint8Array {
  const packed = new Uint8Array(levels.length / 8);
  const width = block / 8;
  for (let start = 0, out = 0; start < levels.length; start += block, out += width)
    for (let t = 0; t < width; t++) {
      let byte = 0;
      for (let plane = 0; plane < 4; plane++) {
        const at = start + 2 * (plane * width + t);
        const pair = (((levels[at] ?? 0) >> bit) & 1) | ((((levels[at + 1] ?? 0) >> bit) & 1) << 4);
        byte |= pair << (places[plane] ?? 0);
      }
      packed[out + t] = byte;
    }
  return packed;
}

/** The two low bits of each level: two planes of a quarter of the block each, the second two bits above the first. */
export function packTwoBits(levels: Uint8Array, block: number): Uint8Array {
  const packed = new Uint8Array(levels.length / 4);
  const width = block / 4;
  for (let start = 0, out = 0; start < levels.length; start += block, out += width)
    for (let t = 0; t < width; t++) {
      const [first, second] = [start + 2 * t, start + 2 * (width + t)];
      packed[out + t] =
        ((levels[first] ?? 0) & 3) |
        (((levels[first + 1] ?? 0) & 3) << 4) |
        (((levels[second] ?? 0) & 3) << 2) |
        (((levels[second + 1] ?? 0) & 3) << 6);
    }
  return packed;
}

/**
 * One of three planes of levels of 6 bits, each of a quarter of the block in bytes. The low 6 bits are levels of the plane's own
 * quarter; the high 2 are those bits of the fourth quarter's levels, two to a plane.
 */
export function packSixBits(levels: Uint8Array, block: number, plane: 0 | 1 | 2): Uint8Array {
  const packed = new Uint8Array(levels.length / 4);
  const width = block / 4;
  for (let start = 0, out = 0; start < levels.length; start += block, out += width)
    for (let t = 0; t < width; t++) {
      const own = levels[start + plane * width + t] ?? 0;
      const shared = levels[start + 3 * width + t] ?? 0;
      packed[out + t] = (own & 63) | (((shared >> (2 * plane)) & 3) << 6);
    }
  return packed;
}
