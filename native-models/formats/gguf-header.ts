import { ModelError } from '../errors.ts';
import { type BinaryFile, invalidFile } from './binary-file.ts';
import { FileCursor } from './file-cursor.ts';
import { type GgmlType, ggmlTypes } from './ggml-blocks.ts';
import type { TensorPlace } from './plain-tensor.ts';

type GgufScalar = number | bigint | boolean | string;
export type GgufValue = GgufScalar | readonly GgufScalar[];

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly TensorPlace[];
}

const magic = 0x46554747;
const rankLimit = 4;
const valueType = { string: 8, array: 9 } as const;
/** Least bytes that an entry can take: what bounds the counts a file may claim. */
const leastMetadataBytes = 8 + 4 + 1;
const leastTensorBytes = 8 + 4 + 4 + 8;
/** More than any model has, however large its file is: what bounds the memory that a header takes. */
const headerLimit = 128 * 2 ** 20;
const arrayLimit = 4_000_000;
const entryLimit = 200_000;

/** Steps through the header; every length is held against the file's size before anything is made for it. */
class GgufCursor extends FileCursor {
  /** A u64 that counts or places something: more than 2⁵³ cannot be true. */
  size(what: string): number {
    const [view, at] = this.next(8, what);
    const value = Number(view.getBigUint64(at, true));
    if (!Number.isSafeInteger(value)) throw invalidFile(this.file.path, `${what} is not believable`);
    return value;
  }

  /** A number of things of which each takes at least `leastBytes`. */
  count(leastBytes: number, what: string): number {
    const count = this.size(what);
    if (count > this.remaining / leastBytes)
      throw invalidFile(this.file.path, `${what}, ${count}, is more than the file can hold`);
    return count;
  }

  /** Throws unless a count is one that some model could have. */
  limited(count: number, limit: number, what: string): number {
    if (count > limit || this.position > headerLimit)
      throw invalidFile(this.file.path, `${what}, ${count}, is more than any model has`);
    return count;
  }

  text(what: string): string {
    const length = this.limited(this.count(1, `the length of ${what}`), headerLimit, `the length of ${what}`);
    return this.utf8(length, what);
  }

  scalar(type: number, what: string): GgufScalar {
    if (type === valueType.string) return this.text(what);
    const reader = scalarReaders.get(type);
    if (reader === undefined) throw invalidFile(this.file.path, `${what} has the unknown type ${type}`);
    const [view, at] = this.next(reader.bytes, what);
    return reader.read(view, at);
  }

  value(type: number, what: string): GgufValue {
    if (type !== valueType.array) return this.scalar(type, what);
    const elementType = this.uint32(what);
    // A string takes 8 bytes at least, for its length.
    const least = elementType === valueType.string ? 8 : (scalarReaders.get(elementType)?.bytes ?? 1);
    const count = this.limited(this.count(least, `the size of ${what}`), arrayLimit, `the size of ${what}`);
    const values: GgufScalar[] = [];
    for (let i = 0; i < count; i++) values.push(this.scalar(elementType, what));
    return values;
  }
}

const scalarReaders = new Map<number, { bytes: number; read: (view: DataView, at: number) => GgufScalar }>([
  [0, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [1, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [2, { bytes: 2, read: (view, at) => view.getUint16(at, true) }],
  [3, { bytes: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { bytes: 4, read: (view, at) => view.getUint32(at, true) }],
  [5, { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  [6, { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  [7, { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 }],
  [10, { bytes: 8, read: (view, at) => view.getBigUint64(at, true) }],
  [11, { bytes: 8, read: (view, at) => view.getBigInt64(at, true) }],
  [12, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
]);

/**
 * Reads everything before the tensors' data: magic, version 2 or 3, counts, metadata, where each tensor lies. Throws
 * `file-invalid`, `file-truncated` or `not-supported`, naming the entry at fault.
 */
export function readGgufHeader(file: BinaryFile): GgufHeader {
  const cursor = new GgufCursor(file);
  if (cursor.uint32('the magic number') !== magic) throw invalidFile(file.path, 'it is no GGUF file');
  const version = cursor.uint32('the version');
  if (version !== 2 && version !== 3)
    throw new ModelError(
      'not-supported',
      `${file.path} is GGUF of version ${version}.`,
      'Versions 2 and 3 are read, little-endian: convert the file anew.',
    );
  const tensorCount = countEntries(cursor, leastTensorBytes, 'the number of tensors');
  const metadataCount = countEntries(cursor, leastMetadataBytes, 'the number of metadata entries');
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = cursor.text(`the name of metadata entry ${i}`);
    if (metadata.has(key)) throw invalidFile(file.path, `${key} is there twice`);
    metadata.set(key, cursor.value(cursor.uint32(key), key));
  }
  const tensors = Array.from({ length: tensorCount }, (_, i) => readTensorPlace(file, cursor, i));
  if (new Set(tensors.map(({ name }) => name)).size !== tensorCount)
    throw invalidFile(file.path, 'two tensors have the same name');
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 1 << 20)
    throw invalidFile(file.path, `an alignment of ${alignment} is not believable`);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  return { metadata, tensors: tensors.map((place) => withinFile(file, place, dataStart)) };
}

function countEntries(cursor: GgufCursor, leastBytes: number, what: string): number {
  return cursor.limited(cursor.count(leastBytes, what), entryLimit, what);
}

const typesByCode = new Map<number, GgmlType>(
  Object.entries(ggmlTypes).map(([name, { code }]) => [code, name as GgmlType]),
);

function readTensorPlace(file: BinaryFile, cursor: GgufCursor, index: number): TensorPlace {
  const name = cursor.text(`the name of tensor ${index}`);
  const rank = cursor.uint32(`the rank of ${name}`);
  if (rank > rankLimit) throw invalidFile(file.path, `${name} has ${rank} dimensions`);
  // The file names the innermost dimension first.
  const shape = Array.from({ length: rank }, () => cursor.size(`the shape of ${name}`)).reverse();
  const code = cursor.uint32(`the type of ${name}`);
  const offset = cursor.size(`the place of ${name}`);
  const type = typesByCode.get(code);
  if (type === undefined)
    throw new ModelError(
      'not-supported',
      `${file.path}: ${name} is of GGML type ${code}, which is not read yet.`,
      `Take a file whose tensors are ${Object.keys(ggmlTypes).join(', ')}.`,
    );
  const { elements, bytes } = ggmlTypes[type];
  if ((shape.at(-1) ?? 1) % elements !== 0)
    throw invalidFile(file.path, `rows of ${name}, ${shape.at(-1)} long, are not whole ${type} blocks`);
  const length = (shape.reduce((product, size) => product * size, 1) / elements) * bytes;
  return { name, type, shape, offset, length };
}

/** Places of tensors count from the start of the data. */
function withinFile(file: BinaryFile, place: TensorPlace, dataStart: number): TensorPlace {
  const offset = dataStart + place.offset;
  if (!Number.isSafeInteger(place.length) || !Number.isSafeInteger(offset + place.length))
    throw invalidFile(file.path, `${place.name} [${place.shape.join(', ')}] is not believable`);
  file.requireSize(offset + place.length, place.name);
  return { ...place, offset };
}
