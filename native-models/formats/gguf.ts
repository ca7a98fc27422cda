import type { z } from 'zod';
import { ModelError } from '../errors.ts';
import { invalidFile } from './binary-file.ts';
import type { FileAccess } from './file-access.ts';
import { type GgufValue, readGgufHeader } from './gguf-header.ts';
import { PlainTensor } from './plain-tensor.ts';
import { TensorFile } from './tensor-file.ts';

/**
 * A GGUF file, version 2 or 3: the header is read at once, the tensors when they are asked for. Tensors keep the names and the row
 * order of the file; shapes are turned round to read outermost first.
 */
export class Gguf extends TensorFile {
  readonly #metadata: ReadonlyMap<string, GgufValue>;

  /** Throws `file-missing`, `file-truncated`, `file-invalid` or `not-supported`, naming what is at fault. */
  constructor(path: string, access?: FileAccess) {
    const metadata = new Map<string, GgufValue>();
    super(
      path,
      (file) => {
        const header = readGgufHeader(file);
        requireWhole(path, header.metadata);
        for (const [key, value] of header.metadata) metadata.set(key, value);
        return new Map(header.tensors.map((place) => [place.name, new PlainTensor(file, place)]));
      },
      access,
    );
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

/** Large models are published in parts of which each names all metadata, but its own tensors alone. */
function requireWhole(path: string, metadata: ReadonlyMap<string, GgufValue>): void {
  const parts = metadata.get('split.count');
  if (typeof parts === 'number' && parts > 1)
    throw new ModelError(
      'not-supported',
      `${path} is one of ${parts} parts of a model.`,
      'Join them first: `llama-gguf-split --merge <first part> <whole file>`.',
    );
}
