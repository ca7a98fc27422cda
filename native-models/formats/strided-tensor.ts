import { ModelError } from '../errors.ts';
import type { BinaryFile } from './binary-file.ts';
import { elementDecoder } from './element-decoders.ts';
import { requireRows, type TensorPlace } from './plain-tensor.ts';
import type { LazyTensor, StoredType } from './tensor-source.ts';

/** Elements that are read at once, if the strides let them lie together: pieces of some hundred kB. */
const elementsPerPiece = 1 << 16;

/** A view of a storage: element [i, j, …] lies `i·strides[0] + j·strides[1] + …` elements after `offset`. */
export interface StridedPlace extends Omit<TensorPlace, 'length'> {
  readonly strides: readonly number[];
  readonly elementBytes: number;
}

/** One dimension, in the file and in the result, counted in elements. */
interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly outStride: number;
}

/** A transposed or sliced tensor: its elements are gathered in the order of its rows, the file being read in the file's order. */
export class StridedTensor implements LazyTensor {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly #file: BinaryFile;
  readonly #place: StridedPlace;

  constructor(file: BinaryFile, place: StridedPlace) {
    this.name = place.name;
    this.type = place.type;
    this.shape = place.shape;
    this.#file = file;
    this.#place = place;
  }

  rows(first: number, count: number): LazyTensor {
    requireRows(this, first, count);
    const { offset, strides, elementBytes } = this.#place;
    return new StridedTensor(this.#file, {
      ...this.#place,
      shape: [count, ...this.shape.slice(1)],
      offset: offset + first * (strides[0] ?? 0) * elementBytes,
    });
  }

  /** The bytes in the order of the tensor's own rows. Throws `not-supported` for a view whose elements share their place. */
  read(): Uint8Array<ArrayBuffer> {
    const { shape, strides, offset, elementBytes } = this.#place;
    const unitBytes = elementBytes === 1 || elementBytes === 2 ? elementBytes : 4;
    const units = elementBytes / unitBytes;
    const Units = unitBytes === 1 ? Uint8Array : unitBytes === 2 ? Uint16Array : Uint32Array;
    const axes = this.#axes([...shape, units], [...strides.map((stride) => stride * units), 1]);
    const result = new Units(elementCount(shape) * units);
    let scratch = new Units(0);
    gather(axes, result, (at, count) => {
      if (scratch.length < count) scratch = new Units(count);
      const bytes = new Uint8Array(scratch.buffer, 0, count * unitBytes);
      this.#file.readInto(bytes, offset + at * unitBytes, this.name);
      return scratch;
    });
    return new Uint8Array(result.buffer);
  }

  float32(): Float32Array<ArrayBuffer> {
    const { shape, strides, offset, elementBytes } = this.#place;
    const decoder = elementDecoder(this.#file.path, this);
    const axes = this.#axes(shape, strides);
    const result = new Float32Array(elementCount(shape));
    let values = new Float32Array(0);
    let bytes = new Uint8Array(0);
    gather(axes, result, (at, count) => {
      if (values.length < count) {
        values = new Float32Array(count);
        bytes = new Uint8Array(count * elementBytes);
      }
      const part = bytes.subarray(0, count * elementBytes);
      this.#file.readInto(part, offset + at * elementBytes, this.name);
      decoder.decode(part, values);
      return values;
    });
    return result;
  }

  /** The dimensions in the order of the file, the widest step first; those of one element say nothing. */
  #axes(shape: readonly number[], strides: readonly number[]): Axis[] {
    let outStride = 1;
    const axes = shape
      .map((size, i) => ({ size, stride: strides[i] ?? 0, i }))
      .reverse()
      .map(({ size, stride }) => {
        const axis = { size, stride, outStride };
        outStride *= size;
        return axis;
      })
      .filter(({ size }) => size !== 1)
      .toSorted((a, b) => b.stride - a.stride);
    if (elementCount(shape) > 0 && axes.some(({ stride }, i) => stride < spanOf(axes.slice(i + 1))))
      throw new ModelError(
        'not-supported',
        `${this.name} in ${this.#file.path} is a view that reads elements of its storage several times.`,
        'Save the tensor anew after `.contiguous()` in PyTorch.',
      );
    return axes;
  }
}

type Piece = Readonly<ArrayLike<number>>;

/** A piece is used before the next one is read: they may all lie in one buffer. */
function gather(
  axes: readonly Axis[],
  result: { [index: number]: number; readonly length: number },
  readPiece: (at: number, count: number) => Piece,
): void {
  if (result.length === 0) return;
  visit(axes, 0, 0);

  function visit(left: readonly Axis[], from: number, to: number): void {
    const [axis, ...inner] = left;
    if (axis === undefined || spanOf(left) <= elementsPerPiece) {
      scatter(left, readPiece(from, spanOf(left)), 0, to);
      return;
    }
    const together = Math.max(1, Math.floor((elementsPerPiece - spanOf(inner)) / axis.stride) + 1);
    for (let i = 0; i < axis.size; i += together) {
      const size = Math.min(together, axis.size - i);
      const part = together === 1 ? inner : [{ ...axis, size }, ...inner];
      visit(part, from + i * axis.stride, to + i * axis.outStride);
    }
  }

  function scatter(left: readonly Axis[], piece: Piece, from: number, to: number): void {
    const [axis, ...inner] = left;
    if (axis === undefined) {
      result[to] = piece[from] ?? 0;
      return;
    }
    const { size, stride, outStride } = axis;
    if (inner.length > 0)
      for (let i = 0; i < size; i++) scatter(inner, piece, from + i * stride, to + i * outStride);
    else for (let i = 0; i < size; i++) result[to + i * outStride] = piece[from + i * stride] ?? 0;
  }
}

/** Elements of the file from the first to the last of these dimensions. */
function spanOf(axes: readonly Axis[]): number {
  return axes.reduce((span, { size, stride }) => span + (size - 1) * stride, 1);
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
