import { ModelError } from '../errors.ts';
import type { BinaryFile } from './binary-file.ts';
import { elementDecoder } from './element-decoders.ts';
import type { LazyTensor, StoredType } from './tensor-source.ts';

/** Elements that are converted at once: pieces of some hundred kB. */
const elementsPerPiece = 1 << 16;

/** Where a tensor, little-endian and row after row, lies in a file. */
export interface TensorPlace {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly length: number;
}

/** A tensor in one piece of a file: plain numbers, or GGML blocks along its rows. */
export class PlainTensor implements LazyTensor {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly #file: BinaryFile;
  readonly #place: TensorPlace;

  constructor(file: BinaryFile, place: TensorPlace) {
    this.name = place.name;
    this.type = place.type;
    this.shape = place.shape;
    this.#file = file;
    this.#place = place;
  }

  rows(first: number, count: number): LazyTensor {
    return new PlainTensor(this.#file, rowsOfPlace(this.#place, first, count));
  }

  read(): Uint8Array<ArrayBuffer> {
    return this.#file.read(this.#place.offset, this.#place.length, this.name);
  }

  float32(): Float32Array<ArrayBuffer> {
    const decoder = elementDecoder(this.#file.path, this);
    const { offset, length } = this.#place;
    if (this.type === 'F32') return new Float32Array(this.read().buffer);
    this.#file.requireSize(offset + length, this.name);
    const values = new Float32Array((length / decoder.bytes) * decoder.elements);
    // Piece by piece, so that a large tensor takes no more memory than its values.
    const piece = new Uint8Array(Math.min(length, (elementsPerPiece / decoder.elements) * decoder.bytes));
    for (let done = 0; done < length; done += piece.length) {
      const bytes = piece.subarray(0, Math.min(piece.length, length - done));
      this.#file.readInto(bytes, offset + done, this.name);
      decoder.decode(bytes, values.subarray((done / decoder.bytes) * decoder.elements));
    }
    return values;
  }
}

/** Where some of the outermost rows lie. Throws `shape-mismatch` when there are no such rows. */
export function rowsOfPlace(place: TensorPlace, first: number, count: number): TensorPlace {
  const [all] = place.shape;
  requireRows(place, first, count);
  const rowBytes = all === undefined || all === 0 ? 0 : place.length / all;
  return {
    ...place,
    shape: [count, ...place.shape.slice(1)],
    offset: place.offset + first * rowBytes,
    length: count * rowBytes,
  };
}

/** Throws `shape-mismatch` unless the outermost dimension has rows `first` up to `first + count`. */
export function requireRows(
  { name, shape }: Pick<LazyTensor, 'name' | 'shape'>,
  first: number,
  count: number,
): void {
  const [all = 0] = shape;
  if (Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count >= 0 && first + count <= all)
    return;
  throw new ModelError(
    'shape-mismatch',
    `${name} [${shape.join(', ')}] has no rows ${first} to ${first + count}.`,
    'The weights do not fit the architecture that was named: check the recipe and the files.',
  );
}
