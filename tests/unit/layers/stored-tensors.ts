import {
  blocksToFloat32,
  type GgmlBlockType,
  ggmlTypes,
} from '../../../native-models/formats/ggml-blocks.ts';
import {
  decodeSuperBlocks,
  type GgmlSuperBlockType,
} from '../../../native-models/formats/ggml-super-blocks.ts';
import { decodeBfloat16, halfToFloat32 } from '../../../native-models/formats/half-precision.ts';
import type { LazyTensor } from '../../../native-models/formats/tensor-source.ts';
import { someNumbers } from '../graph/run-graph.ts';

export const blockTypes = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'] as const;
export const superBlockTypes = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const;
export type StoredBlockType = GgmlBlockType | GgmlSuperBlockType;
export type StoredFloatType = 'F32' | 'F16' | 'BF16';

/** Bytes into a block where 16-bit floats lie. */
const halves: Readonly<Record<StoredBlockType, readonly number[]>> = {
  ...{ Q4_0: [0], Q4_1: [0, 2], Q5_0: [0], Q5_1: [0, 2], Q8_0: [0] },
  ...{ Q2_K: [80, 82], Q3_K: [108], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
};

/** Any levels and sub-scales; scales near 0.01, some of them zero or negative. */
export function storedBlocks(type: StoredBlockType, elements: number, seed = 1): Uint8Array<ArrayBuffer> {
  const { bytes, elements: blockElements } = ggmlTypes[type];
  const numbers = someNumbers((elements / blockElements) * bytes, seed);
  const content = Uint8Array.from(numbers, (value) => (value + 1) * 127.9);
  for (let start = 0, block = 0; start < content.length; start += bytes, block++)
    halves[type].forEach((place, i) => {
      // Half precision: 0x2100 is about 0.01, the sign the highest bit.
      content[start + place] = content[start + place + 1] ?? 0;
      content[start + place + 1] = block % 7 === 6 ? 0 : (block + i) % 5 === 4 ? 0xa1 : 0x21;
    });
  return content;
}

function floatsOf(type: StoredBlockType | StoredFloatType, bytes: Uint8Array<ArrayBuffer>) {
  const { buffer, byteOffset } = bytes;
  switch (type) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, bytes.length / 4);
    case 'F16':
      return halfToFloat32(new Uint16Array(buffer, byteOffset, bytes.length / 2));
    case 'BF16': {
      const values = new Float32Array(bytes.length / 2);
      decodeBfloat16(new Uint16Array(buffer, byteOffset, bytes.length / 2), values);
      return values;
    }
    case 'Q4_0':
    case 'Q4_1':
    case 'Q5_0':
    case 'Q5_1':
    case 'Q8_0':
      return blocksToFloat32(type, bytes);
    default: {
      const values = new Float32Array((bytes.length / ggmlTypes[type].bytes) * 256);
      decodeSuperBlocks(type, bytes, values);
      return values;
    }
  }
}

/** Plain numbers of magnitudes around 0.02. */
function storedFloats(type: StoredFloatType, elements: number, seed: number): Uint8Array<ArrayBuffer> {
  const values = someNumbers(elements, seed).map((value) => value * 0.02);
  if (type === 'F32') return new Uint8Array(values.buffer);
  const bits = new Uint32Array(values.buffer);
  // Of halves, exponents around 2⁻⁶ with the number's own fraction.
  const short = Uint16Array.from(bits, (all) =>
    type === 'BF16' ? all >>> 16 : ((all >>> 16) & 0x8000) | 0x2400 | ((all >>> 8) & 0x3ff),
  );
  return new Uint8Array(short.buffer);
}

/** A tensor as a file would give it: its rows can be read on their own. */
export function storedTensor(
  name: string,
  type: StoredBlockType | StoredFloatType,
  shape: readonly [number, number],
  seed = 1,
): LazyTensor {
  const [rows, columns] = shape;
  const elements = rows * columns;
  const isFloat = type === 'F32' || type === 'F16' || type === 'BF16';
  const content = isFloat ? storedFloats(type, elements, seed) : storedBlocks(type, elements, seed);
  return tensorOver(name, type, shape, content);
}

function tensorOver(
  name: string,
  type: StoredBlockType | StoredFloatType,
  [rows, columns]: readonly [number, number],
  content: Uint8Array<ArrayBuffer>,
): LazyTensor {
  const width = content.length / rows;
  return {
    ...{ name, type, shape: [rows, columns] },
    read: () => content,
    float32: () => floatsOf(type, content),
    rows: (first, count) =>
      tensorOver(name, type, [count, columns], content.slice(first * width, (first + count) * width)),
  };
}
