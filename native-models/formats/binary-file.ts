import { ModelError } from '../errors.ts';
import { diskAccess, type FileAccess, type OpenedFile } from './file-access.ts';

/** A file that is read piece by piece; nothing outside it can be asked for. */
export class BinaryFile implements Disposable {
  readonly path: string;
  readonly size: number;
  #opened: OpenedFile | null;

  /** Throws `file-missing` when there is no such file. */
  constructor(path: string, access: FileAccess = diskAccess) {
    try {
      this.#opened = access.open(path);
    } catch (cause) {
      throw new ModelError(
        'file-missing',
        `${path} cannot be opened.`,
        'Check the path and its permissions.',
        {
          cause,
        },
      );
    }
    this.path = path;
    if (!this.#opened.isFile) {
      this.close();
      throw new ModelError('file-missing', `${path} is not a file.`, 'Name the file itself, not a folder.');
    }
    this.size = this.#opened.size;
  }

  /** Reads `length` bytes at `offset`; throws `file-truncated` where the file has fewer. */
  read(offset: number, length: number, what: string): Uint8Array<ArrayBuffer> {
    this.#requirePlace(offset, length, what);
    const bytes = new Uint8Array(length);
    this.readInto(bytes, offset, what);
    return bytes;
  }

  /** Fills `target` with the bytes at `offset`; throws `file-truncated` where the file has fewer. */
  readInto(target: Uint8Array, offset: number, what: string): void {
    if (this.#opened === null) throw new Error(`${this.path} was closed before ${what} was read`);
    this.#requirePlace(offset, target.length, what);
    let done = 0;
    while (done < target.length) {
      const count = this.#opened.readInto(target.subarray(done), offset + done);
      if (count === 0)
        throw new ModelError(
          'file-truncated',
          `${this.path} became shorter while ${what} was read.`,
          'Leave the file alone while it is read, and try again.',
        );
      done += count;
    }
  }

  /** Throws `file-truncated` unless the file reaches to `end`. */
  requireSize(end: number, what: string): void {
    if (end > this.size)
      throw new ModelError(
        'file-truncated',
        `${this.path} ends at byte ${this.size}, within ${what}.`,
        'The file is cut short or not what it claims to be: fetch it again.',
      );
  }

  close(): void {
    this.#opened?.close();
    this.#opened = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #requirePlace(offset: number, length: number, what: string): void {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
      throw invalidFile(this.path, `${what} has an impossible place or size`);
    this.requireSize(offset + length, what);
  }
}

/** A file whose content contradicts its format. */
export function invalidFile(path: string, fault: string): ModelError {
  return new ModelError(
    'file-invalid',
    `${path}: ${fault}.`,
    'The file is damaged or not of this format: fetch it again.',
  );
}
