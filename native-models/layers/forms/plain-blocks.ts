import { type GgmlBlockType, ggmlBlockElements, ggmlTypes, unpackBlocks } from '../../formats/ggml-blocks.ts';
import { packBits, packNibbles } from './bit-packing.ts';
import { unpackBits } from './bit-unpacking.ts';
import type { Form } from './form.ts';

/** Where the fifth bits of a byte's planes lie: the second bit of a nibble is where the graph wants them. */
const fifthBits = [1, 0, 2, 3] as const;

/** GGML's blocks of 32: scales, and minima where there are some, in half precision. */
export function plainBlocksForm(type: GgmlBlockType, columns: number): Form {
  const blocks = columns / ggmlBlockElements;
  const bits = type === 'Q8_0' ? 8 : 4;
  const isFive = type === 'Q5_0' || type === 'Q5_1';
  const hasMinima = type === 'Q4_1' || type === 'Q5_1';
  const half = (name: string) => ({ name, type: 'float16', row: [blocks], small: true }) as const;
  const bytes = (name: string, width: number) =>
    ({ name, type: 'uint8', row: [blocks, width], small: false }) as const;
  return {
    name: `${type} ${columns}`,
    takes: 'stored',
    pieces: [
      bytes('data', (ggmlBlockElements * bits) / 8),
      ...(isFive ? [{ ...bytes('fifth', ggmlBlockElements / 8), small: true }] : []),
      half('scales'),
      ...(hasMinima ? [half('minima')] : []),
    ],
    convert(rows, wanted) {
      const levels = () => unpackBlocks(type, rows).levels;
      const unpacked = wanted.has('data') || wanted.has('fifth') ? levels() : new Uint8Array(0);
      return {
        data: bits === 8 ? unpacked : packNibbles(unpacked),
        fifth: isFive ? packBits(unpacked, 4, ggmlBlockElements, fifthBits) : unpacked,
        scales: halves(rows, ggmlTypes[type].bytes, 0),
        minima: halves(rows, ggmlTypes[type].bytes, 2),
      };
    },
    unpack(g, piece) {
      const high = () => {
        const raised = unpackBits(g, piece('fifth'), 1, fifthBits);
        return g.add(raised, g.constant('uint8', [], [0x77]));
      };
      return {
        kind: 'levels',
        ...{ bits, blockSize: ggmlBlockElements, data: piece('data'), high: isFive ? high() : null },
        scales: g.cast(piece('scales'), 'float32'),
        zero: bits === 8 ? 128 : isFive ? 16 : 8,
        minima: hasMinima ? g.cast(piece('minima'), 'float32') : null,
      };
    },
  };
}

/** The 16-bit numbers that lie `offset` bytes into each block. */
export function halves(bytes: Uint8Array, blockBytes: number, offset: number): Uint8Array {
  const taken = new Uint8Array((bytes.length / blockBytes) * 2);
  for (let from = offset, to = 0; to < taken.length; from += blockBytes, to += 2) {
    taken[to] = bytes[from] ?? 0;
    taken[to + 1] = bytes[from + 1] ?? 0;
  }
  return taken;
}
