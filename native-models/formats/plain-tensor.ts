import { ModelError } from '../errors.ts';
import type { BinaryFile } from './binary-file.ts';
import { bfloat16ToFloat32, halfToFloat32 } from './half-precision.ts';
import type { LazyTensor, StoredType } from './tensor-source.ts';

/** Where a tensor of plain numbers, little-endian and row after row, lies in a file. */
export interface TensorPlace {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly length: number;
}

/** A tensor of plain numbers in a file. */
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

  read(): Uint8Array<ArrayBuffer> {
    return this.#file.read(this.#place.offset, this.#place.length, this.name);
  }

  float32(): Float32Array<ArrayBuffer> {
    const { buffer } = this.read();
    switch (this.type) {
      case 'F32':
        return new Float32Array(buffer);
      case 'F16':
        return halfToFloat32(new Uint16Array(buffer));
      case 'BF16':
        return bfloat16ToFloat32(new Uint16Array(buffer));
      case 'F64':
        return Float32Array.from(new Float64Array(buffer));
      case 'I32':
        return Float32Array.from(new Int32Array(buffer));
      case 'I16':
        return Float32Array.from(new Int16Array(buffer));
      case 'I8':
        return Float32Array.from(new Int8Array(buffer));
      default:
        throw new ModelError(
          'not-supported',
          `${this.name} in ${this.#file.path} is of type ${this.type}, which is not read as numbers.`,
          'Convert the weights to F32, F16 or BF16.',
        );
    }
  }
}
