import { awkwardNumbers, type Random } from './random.ts';

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const placeIn = (bytes: Buffer, random: Random) => random.below(bytes.length + 1);

/** A range, short more often than long. */
function range(bytes: Buffer, random: Random): [start: number, end: number] {
  const start = placeIn(bytes, random);
  const longest = random.chance(0.7) ? 16 : bytes.length;
  return [start, Math.min(bytes.length, start + random.below(longest + 1))];
}

function inserted(bytes: Buffer, at: number, more: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

/** Writes over a number of 1, 2, 4 or 8 bytes, little- or big-endian. */
function awkwardNumber(bytes: Buffer, random: Random): Buffer {
  const width = random.pick([1, 2, 4, 8]);
  if (bytes.length < width) return bytes;
  const value = random.chance(0.3) ? bytes.length + random.below(5) - 2 : random.pick(awkwardNumbers);
  const whole = BigInt.asUintN(8 * width, Number.isFinite(value) ? BigInt(Math.trunc(value)) : -1n);
  const at = random.below(bytes.length - width + 1);
  const isBigEndian = random.chance(0.2);
  for (let i = 0; i < width; i++)
    bytes[at + (isBigEndian ? width - 1 - i : i)] = Number((whole >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

const mutations: readonly Mutation[] = [
  (bytes, random) => {
    if (bytes.length > 0) {
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
    return bytes;
  },
  (bytes, random) => {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  awkwardNumber,
  awkwardNumber,
  (bytes, random) => bytes.subarray(0, placeIn(bytes, random)),
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  (bytes, random) => inserted(bytes, placeIn(bytes, random), random.bytes(random.below(16))),
  (bytes, random) => inserted(bytes, placeIn(bytes, random), bytes.subarray(...range(bytes, random))),
  (bytes, random) => {
    const part = Buffer.from(bytes.subarray(...range(bytes, random)));
    part.copy(bytes, placeIn(bytes, random));
    return bytes;
  },
  (bytes, random) => bytes.fill(random.pick([0, 0x7f, 0xff]), ...range(bytes, random)),
];

/** A copy with some bits turned, numbers overwritten, pieces cut, doubled or moved. */
export function mutateBytes(original: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let left = 1 + random.below(4); left > 0; left--) bytes = random.pick(mutations)(bytes, random);
  return bytes.length > 4 * original.length + 1024 ? bytes.subarray(0, original.length) : bytes;
}
