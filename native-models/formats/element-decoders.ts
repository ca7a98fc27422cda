import { ModelError } from '../errors.ts';
import { decodeBlocks, ggmlTypes } from './ggml-blocks.ts';
import { decodeSuperBlocks } from './ggml-super-blocks.ts';
import { decodeBfloat16, decodeHalf } from './half-precision.ts';
import type { LazyTensor, StoredType } from './tensor-source.ts';

/** How the bytes of a stored type become numbers: `elements` of them take `bytes`. */
export interface ElementDecoder {
  readonly elements: number;
  readonly bytes: number;
  /** Writes the values of whole units to the start of `into`; `bytes` start at a multiple of 8 in their buffer. */
  decode(bytes: Uint8Array<ArrayBuffer>, into: Float32Array<ArrayBuffer>): void;
}

type NumberArray =
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

function plain(
  bytes: number,
  view: (buffer: ArrayBuffer, offset: number, length: number) => NumberArray,
): ElementDecoder {
  return {
    elements: 1,
    bytes,
    decode(source, into) {
      const values = view(source.buffer, source.byteOffset, source.length / bytes);
      for (let i = 0; i < values.length; i++) into[i] = Number(values[i]);
    },
  };
}

const halves = (decode: (values: Uint16Array, into: Float32Array) => void): ElementDecoder => ({
  elements: 1,
  bytes: 2,
  decode: ({ buffer, byteOffset, length }, into) =>
    decode(new Uint16Array(buffer, byteOffset, length / 2), into),
});

const decoders: Readonly<Partial<Record<StoredType, ElementDecoder>>> = {
  F64: plain(8, (...place) => new Float64Array(...place)),
  F16: halves(decodeHalf),
  BF16: halves(decodeBfloat16),
  F32: {
    elements: 1,
    bytes: 4,
    decode: ({ buffer, byteOffset, length }, into) =>
      into.set(new Float32Array(buffer, byteOffset, length / 4)),
  },
  I64: plain(8, (...place) => new BigInt64Array(...place)),
  I32: plain(4, (...place) => new Int32Array(...place)),
  I16: plain(2, (...place) => new Int16Array(...place)),
  I8: plain(1, (...place) => new Int8Array(...place)),
  U64: plain(8, (...place) => new BigUint64Array(...place)),
  U32: plain(4, (...place) => new Uint32Array(...place)),
  U16: plain(2, (...place) => new Uint16Array(...place)),
  U8: plain(1, (...place) => new Uint8Array(...place)),
  BOOL: plain(1, (...place) => new Uint8Array(...place)),
  ...Object.fromEntries(
    (['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'] as const).map((type) => [
      type,
      { ...ggmlTypes[type], decode: decodeBlocks.bind(null, type) },
    ]),
  ),
  ...Object.fromEntries(
    (['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const).map((type) => [
      type,
      { ...ggmlTypes[type], decode: decodeSuperBlocks.bind(null, type) },
    ]),
  ),
};

/** The decoder of a tensor's type. Throws `not-supported` for a type whose values are not read, naming the tensor. */
export function elementDecoder(
  path: string,
  { name, type }: Pick<LazyTensor, 'name' | 'type'>,
): ElementDecoder {
  const decoder = decoders[type];
  if (decoder !== undefined) return decoder;
  throw new ModelError(
    'not-supported',
    `${name} in ${path} is of type ${type}, which is not read as numbers.`,
    'Convert the weights to F32, F16 or BF16.',
  );
}
