import type { z } from 'zod';
import { type BinaryFile, invalidFile } from './binary-file.ts';
import { blocksToFloat32, type GgmlBlockType } from './ggml-blocks.ts';
import { type GgufValue, readGgufHeader } from './gguf-header.ts';
import { PlainTensor, rowsOfPlace, type TensorPlace } from './plain-tensor.ts';
import { TensorFile } from './tensor-file.ts';
import type { LazyTensor } from './tensor-source.ts';

/**
 * A GGUF file, version 2 or 3: the header is read at once, the tensors when they are asked for. Tensors keep the names and the row
 * order of the file; shapes are turned round to read outermost first.
 */
export class Gguf extends TensorFile {
  readonly #metadata: ReadonlyMap<string, GgufValue>;

  /** Throws `file-missing`, `file-truncated`, `file-invalid` or `not-supported`, naming what is at fault. */
  constructor(path: string) {
    const metadata = new Map<string, GgufValue>();
    super(path, (file) => {
      const header = readGgufHeader(file);
      for (const [key, value] of header.metadata) metadata.set(key, value);
      return new Map(header.tensors.map((place) => [place.name, tensorAt(file, place)]));
    });
    this.#metadata = metadata;
  }

  /** A metadata entry as `schema` wants it. Throws `file-invalid` when it is missing (and not optional) or something else. */
  metadata<T extends z.ZodType>(key: string, schema: T): z.output<T> {
    const result = schema.safeParse(this.#metadata.get(key));
    if (result.success) return result.data;
    const fault = this.#metadata.has(key) ? 'is not what it should be' : 'is missing';
    throw invalidFile(this.path, `its metadata entry ${key} ${fault}`);
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
class BlockTensor extends PlainTensor {
  readonly #blocks: GgmlBlockType;
  readonly #part: (first: number, count: number) => LazyTensor;

  constructor(file: BinaryFile, place: TensorPlace, blocks: GgmlBlockType) {
    super(file, place);
    this.#blocks = blocks;
    this.#part = (first, count) => new BlockTensor(file, rowsOfPlace(place, first, count), blocks);
  }

  override rows(first: number, count: number): LazyTensor {
    return this.#part(first, count);
  }

  override float32(): Float32Array<ArrayBuffer> {
    return blocksToFloat32(this.#blocks, this.read());
  }
}
