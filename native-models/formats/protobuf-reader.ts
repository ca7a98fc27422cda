import { invalidFile } from './binary-file.ts';
import type { FileCursor } from './file-cursor.ts';

/** A field of a message: a number, or a range of bytes in the file. Fixed numbers are ranges of 4 or 8 bytes. */
export interface ProtobufField {
  readonly field: number;
  /** Null unless the field is a varint. */
  readonly integer: number | bigint | null;
  readonly start: number;
  readonly end: number;
}

/** Characters that one reader gives in all: what bounds the memory of names and settings. */
const textLimit = 64 * 2 ** 20;

/** Reads protobuf messages in a file: only heads of fields and what is asked for; a range's content is stepped over. */
export class ProtobufReader {
  readonly #cursor: FileCursor;
  #textLeft = textLimit;

  constructor(cursor: FileCursor) {
    this.#cursor = cursor;
  }

  /** The fields of a message between two places. Throws `file-invalid` for one that ends outside of it, naming `what`. */
  *fields(start: number, end: number, what: string): Generator<ProtobufField, void> {
    let at = start;
    while (at < end) {
      this.#cursor.moveTo(at, what);
      const tag = this.#length(what);
      const field = this.#field(Math.floor(tag / 8), tag & 7, what);
      if (field.end > end) throw this.#fault(`${what} has a field that ends outside of it`);
      yield field;
      at = field.end;
    }
  }

  /** Text of a range. */
  text({ start, end }: ProtobufField, what: string): string {
    this.#textLeft -= end - start;
    if (this.#textLeft < 0) throw this.#fault(`${what} has ${end - start} bytes, more than any model has`);
    this.#cursor.moveTo(start, what);
    return this.#cursor.utf8(end - start, what);
  }

  /** The varints of a field: one, or those packed into a range. */
  *integers({ integer, start, end }: ProtobufField, what: string): Generator<number | bigint, void> {
    if (integer !== null) {
      yield integer;
      return;
    }
    this.#cursor.moveTo(start, what);
    while (this.#cursor.position < end) yield this.#varint(what);
    if (this.#cursor.position > end) throw this.#fault(`${what} has a number that ends outside of it`);
  }

  #field(field: number, wire: number, what: string): ProtobufField {
    if (field === 0) throw this.#fault(`${what} has a field without number`);
    const start = this.#cursor.position;
    switch (wire) {
      case 0: {
        const integer = this.#varint(what);
        return { field, integer, start, end: this.#cursor.position };
      }
      case 1:
        return { field, integer: null, start, end: start + 8 };
      case 5:
        return { field, integer: null, start, end: start + 4 };
      case 2: {
        const length = this.#length(what);
        return { field, integer: null, start: this.#cursor.position, end: this.#cursor.position + length };
      }
      default:
        throw this.#fault(`${what} has a field of the unknown kind ${wire}`);
    }
  }

  #length(what: string): number {
    const length = this.#varint(what);
    if (typeof length !== 'number') throw this.#fault(`${what} has a length that is not believable`);
    return length;
  }

  /** Up to 49 bits as a number; whatever needs more, negative numbers above all, as its 64 bits. */
  #varint(what: string): number | bigint {
    let small = 0;
    for (let i = 0; i < 7; i++) {
      const byte = this.#cursor.byte(what);
      small += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return small;
    }
    let large = BigInt(small);
    for (let i = 7; i < 10; i++) {
      const byte = this.#cursor.byte(what);
      large |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, large);
    }
    throw this.#fault(`${what} has a number of more than ten bytes`);
  }

  #fault(what: string) {
    return invalidFile(this.#cursor.file.path, what);
  }
}
