import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ModelError } from '../errors.ts';

/** A file that is read piece by piece; nothing outside it can be asked for. */
export class BinaryFile implements Disposable {
  readonly path: string;
  readonly size: number;
  #descriptor: number | null;

  /** Throws `file-missing` when there is no such file. */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'r');
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
    const status = fstatSync(this.#descriptor);
    if (!status.isFile()) {
      this.close();
      throw new ModelError('file-missing', `${path} is not a file.`, 'Name the file itself, not a folder.');
    }
    this.size = status.size;
  }

  /** Reads `length` bytes at `offset`; throws `file-truncated` where the file has fewer. */
  read(offset: number, length: number, what: string): Uint8Array<ArrayBuffer> {
    if (this.#descriptor === null) throw new Error(`${this.path} was closed before ${what} was read`);
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
      throw invalidFile(this.path, `${what} has an impossible place or size`);
    this.requireSize(offset + length, what);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#descriptor, bytes, done, length - done, offset + done);
      if (count === 0)
        throw new ModelError(
          'file-truncated',
          `${this.path} became shorter while ${what} was read.`,
          'Leave the file alone while it is read, and try again.',
        );
      done += count;
    }
    return bytes;
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
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  [Symbol.dispose](): void {
    this.close();
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
