import type { z } from 'zod';
import { BinaryFile, invalidFile } from './binary-file.ts';
import { blocksToFloat32, type GgmlBlockType } from './ggml-blocks.ts';
import { type GgufValue, readGgufHeader } from './gguf-header.ts';
import { PlainTensor, requireTensor, type TensorPlace } from './plain-tensor.ts';
import type { LazyTensor, TensorSource } from './tensor-source.ts';

/**
 * A GGUF file, version 2 or 3: the header is read at once, the tensors when they are asked for. Tensors keep the names and the row
 * order of the file; shapes are turned round to read outermost first.
 */
export class Gguf implements TensorSource, Disposable {
  readonly path: string;
  readonly #file: BinaryFile;
  readonly #metadata: ReadonlyMap<string, GgufValue>;
  readonly #tensors: ReadonlyMap<string, LazyTensor>;

  /** Throws `file-missing`, `file-truncated`, `file-invalid` or `not-supported`, naming what is at fault. */
  constructor(path: string) {
    this.path = path;
    this.#file = new BinaryFile(path);
    try {
      const { metadata, tensors } = readGgufHeader(this.#file);
      this.#metadata = metadata;
      this.#tensors = new Map(tensors.map((place) => [place.name, tensorAt(this.#file, place)]));
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  names(): string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  tensor(name: string): LazyTensor {
    return requireTensor(this.#tensors, name, this.path);
  }

  /** A metadata entry as `schema` wants it. Throws `file-invalid` when it is missing (and not optional) or something else. */
  metadata<T extends z.ZodType>(key: string, schema: T): z.output<T> {
    const result = schema.safeParse(this.#metadata.get(key));
    if (result.success) return result.data;
    const fault = this.#metadata.has(key) ? 'is not what it should be' : 'is missing';
    throw invalidFile(this.path, `its metadata entry ${key} ${fault}`);
  }

  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function tensorAt(file: BinaryFile, place: TensorPlace): LazyTensor {
  switch (place.type) {
    case 'Q4_0':
    case 'Q4_1':
    case 'Q8_0':
      return new BlockTensor(file, place, place.type);
    default:
      return new PlainTensor(file, place);
  }
}

/** A tensor in GGML blocks. */
class BlockTensor implements LazyTensor {
  readonly name: string;
  readonly type: GgmlBlockType;
  readonly shape: readonly number[];
  readonly #file: BinaryFile;
  readonly #place: TensorPlace;

  constructor(file: BinaryFile, place: TensorPlace, type: GgmlBlockType) {
    this.name = place.name;
    this.type = type;
    this.shape = place.shape;
    this.#file = file;
    this.#place = place;
  }

  read(): Uint8Array<ArrayBuffer> {
    return this.#file.read(this.#place.offset, this.#place.length, this.name);
  }

  float32(): Float32Array<ArrayBuffer> {
    return blocksToFloat32(this.type, this.read());
  }
}
