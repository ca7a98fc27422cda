import type { BinaryFile } from './binary-file.ts';

const pageBytes = 1 << 16;

/** Steps through a file in pages of 64 KiB, little-endian; what is stepped over is not read. */
export class FileCursor {
  readonly file: BinaryFile;
  #page: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(0));
  #pageStart = 0;
  #at = 0;

  constructor(file: BinaryFile) {
    this.file = file;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.file.size - this.#at;
  }

  /** Goes to a place in the file. */
  moveTo(position: number, what: string): void {
    this.file.requireSize(position, what);
    this.#at = position;
  }

  /** A view of the next `length` bytes, and where they start in it. Throws `file-truncated`. */
  next(length: number, what: string): [DataView<ArrayBuffer>, number] {
    const end = this.#at + length;
    if (this.#at < this.#pageStart || end > this.#pageStart + this.#page.byteLength) {
      this.file.requireSize(end, what);
      const size = Math.min(this.remaining, Math.max(length, pageBytes));
      this.#page = new DataView(this.file.read(this.#at, size, what).buffer);
      this.#pageStart = this.#at;
    }
    const offset = this.#at - this.#pageStart;
    this.#at = end;
    return [this.#page, offset];
  }

  byte(what: string): number {
    const [view, at] = this.next(1, what);
    return view.getUint8(at);
  }

  uint16(what: string): number {
    const [view, at] = this.next(2, what);
    return view.getUint16(at, true);
  }

  uint32(what: string): number {
    const [view, at] = this.next(4, what);
    return view.getUint32(at, true);
  }

  utf8(length: number, what: string): string {
    const [view, at] = this.next(length, what);
    return Buffer.from(view.buffer, view.byteOffset + at, length).toString('utf8');
  }
}
