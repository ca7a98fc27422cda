// Straight from a file's super-blocks to the data file's bytes, for the types that large models consist of: a sixth of the time of
// taking every level out and packing it again.

/** Raw nibbles of Q4_K and Q5_K, `qs` beginning `offset` bytes into a block → two levels to a byte in their own order. */
export function nibblesInOrder(bytes: Uint8Array, blockBytes: number, offset: number): Uint8Array {
  const blocks = bytes.length / blockBytes;
  const packed = new Uint8Array(blocks * 128);
  for (let block = 0, out = 0; block < blocks; block++) {
    const start = block * blockBytes + offset;
    // 32 bytes hold 64 levels: 32 in the low nibbles, then 32 in the high ones.
    for (let quarter = start; quarter < start + 128; quarter += 32, out += 32)
      for (let t = 0; t < 16; t++) {
        const first = bytes[quarter + 2 * t] ?? 0;
        const second = bytes[quarter + 2 * t + 1] ?? 0;
        packed[out + t] = (first & 15) | ((second & 15) << 4);
        packed[out + 16 + t] = (first >> 4) | (second & 0xf0);
      }
  }
  return packed;
}

/** 8 scales and then 8 minima of Q4_K and Q5_K, 16 numbers of 6 bits a block. */
export function sixBitPairs(bytes: Uint8Array, blockBytes: number): Uint8Array {
  const blocks = bytes.length / blockBytes;
  const numbers = new Uint8Array(blocks * 16);
  for (let block = 0; block < blocks; block++) {
    const [from, to] = [block * blockBytes + 4, block * 16];
    for (let i = 0; i < 4; i++) {
      const scale = bytes[from + i] ?? 0;
      const minimum = bytes[from + 4 + i] ?? 0;
      const nibbles = bytes[from + 8 + i] ?? 0;
      numbers[to + i] = scale & 63;
      numbers[to + 4 + i] = (nibbles & 15) | ((scale >> 6) << 4);
      numbers[to + 8 + i] = minimum & 63;
      numbers[to + 12 + i] = (nibbles >> 4) | ((minimum >> 6) << 4);
    }
  }
  return numbers;
}

const q6Bytes = 210;

/** A plane of `packSixBits` in blocks of 16, from the bytes of Q6_K. */
export function sixBitPlane(bytes: Uint8Array, plane: 0 | 1 | 2): Uint8Array {
  const blocks = bytes.length / q6Bytes;
  const packed = new Uint8Array(blocks * 64);
  for (let block = 0, out = 0; block < blocks; block++)
    for (let group = 0; group < 16; group++, out += 4) {
      // Halves of 128 levels; a quarter of each under every two bits of qh.
      const side = group >> 3;
      const quarter = (group >> 1) & 3;
      const within = (group & 1) * 16;
      const low = block * q6Bytes + 64 * side + 32 * (quarter & 1) + within;
      const high = block * q6Bytes + 128 + 32 * side + within;
      const lowShift = quarter < 2 ? 0 : 4;
      const highShift = 2 * quarter;
      for (let t = 0; t < 4; t++) {
        const own = 4 * plane + t;
        const level =
          (((bytes[low + own] ?? 0) >> lowShift) & 15) | ((((bytes[high + own] ?? 0) >> highShift) & 3) << 4);
        const shared =
          (((bytes[low + 12 + t] ?? 0) >> lowShift) & 15) |
          ((((bytes[high + 12 + t] ?? 0) >> highShift) & 3) << 4);
        packed[out + t] = level | (((shared >> (2 * plane)) & 3) << 6);
      }
    }
  return packed;
}

/** `count` bytes that lie `offset` bytes into each block. */
export function partOfBlocks(
  bytes: Uint8Array,
  blockBytes: number,
  offset: number,
  count: number,
): Uint8Array {
  const blocks = bytes.length / blockBytes;
  const part = new Uint8Array(blocks * count);
  for (let block = 0; block < blocks; block++) {
    const from = block * blockBytes + offset;
    for (let i = 0; i < count; i++) part[block * count + i] = bytes[from + i] ?? 0;
  }
  return part;
}
