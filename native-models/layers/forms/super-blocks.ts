import {
  type GgmlSuperBlocks,
  type GgmlSuperBlockType,
  ggmlSuperBlockElements,
  superBlockBytes,
  unpackSuperBlocks,
} from '../../formats/ggml-super-blocks.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { packBits, packSixBits, packTwoBits } from './bit-packing.ts';
import { unpackBits, unpackSixBits, unpackTwoBits } from './bit-unpacking.ts';
import type { Form, Levels, Piece } from './form.ts';
import { nibblesInOrder, partOfBlocks, sixBitPairs, sixBitPlane } from './super-block-bytes.ts';

/** Bytes into a block where d and dmin lie. */
const halves: Readonly<Record<GgmlSuperBlockType, readonly number[]>> = {
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

const fifthBits = [1, 0, 2, 3] as const;
const thirdBits = [2, 1, 0, 3] as const;
/** The level that MatMulNBits takes for zero in 4 bits. */
const middle = 8;

type Pieces = (name: string) => Value;

/** Some rows: the file's bytes, and what they hold. */
interface Rows {
  readonly bytes: Uint8Array;
  readonly blockBytes: number;
  taken(): GgmlSuperBlocks;
}

/** What differs between GGML's blocks of 256: how levels and sub-scales stand in the data file. */
interface Layout {
  readonly groupElements: 16 | 32;
  readonly levels: {
    /** Name and bytes a group. */
    readonly pieces: readonly (readonly [name: string, bytes: number])[];
    pack(rows: Rows, name: string): Uint8Array;
    unpack(g: Graph, piece: Pieces): Pick<Levels, 'bits' | 'data' | 'high' | 'zero'>;
  };
  readonly scales: {
    readonly type: 'uint8' | 'int8';
    /** Bytes a super-block. */
    readonly bytes: number;
    pack(rows: Rows): Uint8Array;
    /** f32 [rows, super-blocks, groups] each. */
    unpack(g: Graph, packed: Value): { scales: Value; minima: Value | null };
  };
}

const nibbles: Layout['levels'] = {
  pieces: [['data', 16]],
  pack: ({ bytes, blockBytes }) => nibblesInOrder(bytes, blockBytes, 16),
  unpack: (_g, piece) => ({ bits: 4, data: piece('data'), high: null, zero: middle }),
};

/** 8 scales and then 8 minima of 6 bits. */
const pairs: Layout['scales'] = {
  type: 'uint8',
  bytes: 12,
  pack: ({ bytes, blockBytes }) => inTwelveBytes(sixBitPairs(bytes, blockBytes)),
  unpack(g, packed) {
    const [scales, minima] = g.split(fromTwelveBytes(g, packed), [8, 8], -1);
    return { scales: g.cast(scales, 'float32'), minima: g.cast(minima, 'float32') };
  },
};

const layouts: Readonly<Record<GgmlSuperBlockType, Layout>> = {
  Q2_K: {
    groupElements: 16,
    levels: {
      pieces: [['twoBits', 4]],
      pack: (rows) => packTwoBits(rows.taken().levels, 16),
      unpack: (g, piece) => ({ bits: 4, data: unpackTwoBits(g, piece('twoBits')), high: null, zero: middle }),
    },
    scales: {
      type: 'uint8',
      bytes: 16,
      // A scale in the low nibble and a minimum in the high one, as they are in the file.
      pack: ({ bytes, blockBytes }) => partOfBlocks(bytes, blockBytes, 0, 16),
      unpack(g, packed) {
        const [four, mask] = [4, 15].map((value) => g.constant('uint8', [], [value])) as [Value, Value];
        return {
          scales: g.cast(g.bitwiseAnd(packed, mask), 'float32'),
          minima: g.cast(g.bitShift(packed, four, 'RIGHT'), 'float32'),
        };
      },
    },
  },
  Q3_K: {
    groupElements: 16,
    levels: {
      pieces: [
        ['twoBits', 4],
        ['third', 2],
      ],
      pack: (rows, name) =>
        name === 'third'
          ? packBits(rows.taken().levels, 2, 16, thirdBits)
          : packTwoBits(rows.taken().levels, 16),
      unpack(g, piece) {
        const levels = g.add(unpackTwoBits(g, piece('twoBits')), unpackBits(g, piece('third'), 2, thirdBits));
        // Their own zero is 4.
        const raised = g.add(levels, g.constant('uint8', [], [0x44]));
        return { bits: 4, data: raised, high: null, zero: middle };
      },
    },
    scales: {
      type: 'uint8',
      bytes: 12,
      pack: (rows) => inTwelveBytes(Uint8Array.from(rows.taken().scales, (scale) => scale + 32)),
      unpack(g, packed) {
        const raised = g.cast(fromTwelveBytes(g, packed), 'float32');
        return { scales: g.sub(raised, g.constant('float32', [], [32])), minima: null };
      },
    },
  },
  Q4_K: { groupElements: 32, levels: nibbles, scales: pairs },
  Q5_K: {
    groupElements: 32,
    levels: {
      pieces: [
        ['data', 16],
        ['fifth', 4],
      ],
      pack: (rows, name) =>
        name === 'fifth'
          ? packBits(rows.taken().levels, 4, 32, fifthBits)
          : nibblesInOrder(rows.bytes, rows.blockBytes, 48),
      unpack(g, piece) {
        const raised = unpackBits(g, piece('fifth'), 1, fifthBits);
        const high = g.add(raised, g.constant('uint8', [], [0x77]));
        return { bits: 4, data: piece('data'), high, zero: 16 };
      },
    },
    scales: pairs,
  },
  Q6_K: {
    groupElements: 16,
    levels: {
      pieces: [
        ['plane0', 4],
        ['plane1', 4],
        ['plane2', 4],
      ],
      pack: ({ bytes }, name) => sixBitPlane(bytes, name === 'plane0' ? 0 : name === 'plane1' ? 1 : 2),
      unpack: (g, piece) => ({
        bits: 8,
        data: unpackSixBits(g, [piece('plane0'), piece('plane1'), piece('plane2')]),
        ...{ high: null, zero: 32 },
      }),
    },
    scales: {
      type: 'int8',
      bytes: 16,
      pack: ({ bytes, blockBytes }) => partOfBlocks(bytes, blockBytes, 192, 16),
      unpack: (g, packed) => ({ scales: g.cast(packed, 'float32'), minima: null }),
    },
  },
};

/** GGML's `K` types: scales and minima of groups are small integers, times two numbers in half precision a super-block. */
export function superBlocksForm(type: GgmlSuperBlockType, columns: number): Form {
  const { groupElements, levels, scales } = layouts[type];
  const supers = columns / ggmlSuperBlockElements;
  const groups = columns / groupElements;
  const hasMinima = type === 'Q2_K' || type === 'Q4_K' || type === 'Q5_K';
  const half = (name: string): Piece => ({ name, type: 'float16', row: [supers, 1], small: true });
  return {
    name: `${type} ${columns}`,
    takes: 'stored',
    pieces: [
      ...levels.pieces.map(
        ([name, bytes]): Piece => ({ name, type: 'uint8', row: [groups, bytes], small: false }),
      ),
      { name: 'groupScales', type: scales.type, row: [supers, scales.bytes], small: true },
      half('d'),
      ...(hasMinima ? [half('dmin')] : []),
    ],
    convert(bytes, wanted) {
      const blockBytes = superBlockBytes(type);
      let taken: GgmlSuperBlocks | null = null;
      const rows: Rows = {
        ...{ bytes, blockBytes },
        taken() {
          taken ??= unpackSuperBlocks(type, bytes);
          return taken;
        },
      };
      const packed: Record<string, Uint8Array> = {};
      for (const [name] of levels.pieces) if (wanted.has(name)) packed[name] = levels.pack(rows, name);
      if (wanted.has('groupScales')) packed.groupScales = scales.pack(rows);
      for (const name of ['d', 'dmin'])
        if (wanted.has(name))
          packed[name] = partOfBlocks(bytes, blockBytes, halves[type][name === 'd' ? 0 : 1] ?? 0, 2);
      return packed;
    },
    unpack(g, piece) {
      const single = (name: string) => g.cast(piece(name), 'float32');
      const ofGroups = (x: Value) => g.reshape(x, [-1, groups]);
      const small = scales.unpack(g, piece('groupScales'));
      return {
        kind: 'levels',
        blockSize: groupElements,
        ...levels.unpack(g, piece),
        scales: ofGroups(g.mul(single('d'), small.scales)),
        minima: small.minima && ofGroups(g.neg(g.mul(single('dmin'), small.minima))),
      };
    },
  };
}

/** 16 numbers of 6 bits: three planes of four bytes. */
function inTwelveBytes(numbers: Uint8Array): Uint8Array {
  const planes = ([0, 1, 2] as const).map((plane) => packSixBits(numbers, 16, plane));
  const packed = new Uint8Array((numbers.length / 16) * 12);
  planes.forEach((plane, i) => {
    for (let from = 0; from < plane.length; from++)
      packed[12 * (from >> 2) + 4 * i + (from & 3)] = plane[from] ?? 0;
  });
  return packed;
}

/** u8 [rows, super-blocks, 12] → [rows, super-blocks, 16]. */
function fromTwelveBytes(g: Graph, packed: Value): Value {
  return unpackSixBits(g, g.split(packed, [4, 4, 4], -1));
}
