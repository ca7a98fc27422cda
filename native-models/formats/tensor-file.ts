import { ModelError } from '../errors.ts';
import { BinaryFile } from './binary-file.ts';
import { diskAccess, type FileAccess } from './file-access.ts';
import type { LazyTensor, TensorSource } from './tensor-source.ts';

/** A weight file whose tensors are known once its header is read. What a format adds is how that header reads. */
export abstract class TensorFile implements TensorSource, Disposable {
  readonly path: string;
  readonly #file: BinaryFile;
  readonly #tensors: ReadonlyMap<string, LazyTensor>;

  /** Throws `file-missing` and what `readTensors` throws; the file is closed then. */
  protected constructor(
    path: string,
    readTensors: (file: BinaryFile) => ReadonlyMap<string, LazyTensor>,
    access: FileAccess = diskAccess,
  ) {
    this.path = path;
    this.#file = new BinaryFile(path, access);
    try {
      this.#tensors = readTensors(this.#file);
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
    const tensor = this.#tensors.get(name);
    if (tensor === undefined)
      throw new ModelError(
        'tensor-missing',
        `${this.path} has no tensor ${name}.`,
        'The file holds another architecture than the recipe says, or another version of it.',
      );
    return tensor;
  }

  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
