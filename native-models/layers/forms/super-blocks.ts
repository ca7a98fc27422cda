import {
  type GgmlSuperBlocks,
  type GgmlSuperBlockType,
  ggmlSuperBlockElements,
  unpackSuperBlocks,
} from '../../formats/ggml-super-blocks.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { bytesOf } from '../streamed-weight.ts';
import { packBits, packNibbles, packSixBits, packTwoBits } from './bit-packing.ts';
import { unpackBits, unpackSixBits, unpackTwoBits } from './bit-unpacking.ts';
import type { Form, Levels, Piece } from './form.ts';

const fifthBits = [1, 0, 2, 3] as const;
const thirdBits = [2, 1, 0, 3] as const;
/** The level that MatMulNBits takes for zero in 4 bits. */
const middle = 8;

type Pieces = (name: string) => Value;

/** What differs between GGML's blocks of 256: how levels and sub-scales stand in the data file. */
interface Layout {
  readonly groupElements: 16 | 32;
  readonly levels: {
    /** Name and bytes a group. */
    readonly pieces: readonly (readonly [name: string, bytes: number])[];
    pack(levels: Uint8Array, name: string): Uint8Array;
    unpack(g: Graph, piece: Pieces): Pick<Levels, 'bits' | 'data' | 'high' | 'zero'>;
  };
  readonly scales: {
    readonly type: 'uint8' | 'int8';
    /** Bytes a super-block. */
    readonly bytes: number;
    pack(blocks: GgmlSuperBlocks): Uint8Array;
    /** f32 [rows, super-blocks, groups] each. */
    unpack(g: Graph, packed: Value): { scales: Value; minima: Value | null };
  };
}

const nibbles: Layout['levels'] = {
  pieces: [['data', 16]],
  pack: packNibbles,
  unpack: (_g, piece) => ({ bits: 4, data: piece('data'), high: null, zero: middle }),
};

/** 8 scales and then 8 minima of 6 bits. */
const sixBitPairs: Layout['scales'] = {
  type: 'uint8',
  bytes: 12,
  pack({ scales, minima }) {
    const both = new Uint8Array(2 * scales.length);
    for (let start = 0; start < scales.length; start += 8) {
      both.set(scales.subarray(start, start + 8), 2 * start);
      both.set((minima ?? both).subarray(start, start + 8), 2 * start + 8);
    }
    return inTwelveBytes(both);
  },
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
      pack: (levels) => packTwoBits(levels, 16),
      unpack: (g, piece) => ({ bits: 4, data: unpackTwoBits(g, piece('twoBits')), high: null, zero: middle }),
    },
    scales: {
      type: 'uint8',
      bytes: 16,
      pack: ({ scales, minima }) => Uint8Array.from(scales, (scale, i) => scale | ((minima?.[i] ?? 0) << 4)),
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
      pack: (levels, name) =>
        name === 'third' ? packBits(levels, 2, 16, thirdBits) : packTwoBits(levels, 16),
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
      pack: ({ scales }) => inTwelveBytes(Uint8Array.from(scales, (scale) => scale + 32)),
      unpack(g, packed) {
        const raised = g.cast(fromTwelveBytes(g, packed), 'float32');
        return { scales: g.sub(raised, g.constant('float32', [], [32])), minima: null };
      },
    },
  },
  Q4_K: { groupElements: 32, levels: nibbles, scales: sixBitPairs },
  Q5_K: {
    groupElements: 32,
    levels: {
      pieces: [
        ['data', 16],
        ['fifth', 4],
      ],
      pack: (levels, name) => (name === 'fifth' ? packBits(levels, 4, 32, fifthBits) : packNibbles(levels)),
      unpack(g, piece) {
        const raised = unpackBits(g, piece('fifth'), 1, fifthBits);
        const high = g.add(raised, g.constant('uint8', [], [0x77]));
        return { bits: 4, data: piece('data'), high, zero: 16 };
      },
    },
    scales: sixBitPairs,
  },
  Q6_K: {
    groupElements: 16,
    levels: {
      pieces: [
        ['plane0', 4],
        ['plane1', 4],
        ['plane2', 4],
      ],
      pack: (levels, name) => packSixBits(levels, 16, name === 'plane0' ? 0 : name === 'plane1' ? 1 : 2),
      unpack: (g, piece) => ({
        bits: 8,
        data: unpackSixBits(g, [piece('plane0'), piece('plane1'), piece('plane2')]),
        ...{ high: null, zero: 32 },
      }),
    },
    scales: {
      type: 'int8',
      bytes: 16,
      pack: ({ scales }) => bytesOf(scales),
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
    convert(rows, wanted) {
      const blocks = unpackSuperBlocks(type, rows);
      const packed = levels.pieces
        .filter(([name]) => wanted.has(name))
        .map(([name]) => [name, levels.pack(blocks.levels, name)]);
      return {
        ...Object.fromEntries(packed),
        groupScales: scales.pack(blocks),
        d: bytesOf(blocks.d),
        dmin: bytesOf(blocks.dmin ?? blocks.d),
      };
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
    for (let at = 0; at < plane.length; at += 4) packed.set(plane.subarray(at, at + 4), 3 * at + 4 * i);
  });
  return packed;
}

/** u8 [rows, super-blocks, 12] → [rows, super-blocks, 16]. */
function fromTwelveBytes(g: Graph, packed: Value): Value {
  return unpackSixBits(g, g.split(packed, [4, 4, 4], -1));
}
