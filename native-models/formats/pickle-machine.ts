import { ModelError } from '../errors.ts';
import { invalidFile } from './binary-file.ts';
import { PickleGlobal, PickleInstance, type PickleLibrary } from './pickle-values.ts';

const integerBytesLimit = 256;
/** Dicts, sets and what calls make take much more memory than a step of a pickle does. */
const objectLimit = 400_000;

/**
 * The stack, the marks and the memo of a pickle, and what its opcodes do with them. Throws `file-invalid` for steps that make no
 * sense, and `not-supported` for a global that the library does not know.
 */
export class PickleMachine {
  readonly #path: string;
  readonly #view: DataView<ArrayBuffer>;
  readonly #library: PickleLibrary;
  readonly #stack: unknown[] = [];
  /** Lengths of the stack where a mark was set. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;
  #objects = 0;

  constructor(path: string, bytes: Uint8Array<ArrayBuffer>, library: PickleLibrary) {
    this.#path = path;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#library = library;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  /** Pushes a new object. */
  make(object: () => unknown): void {
    this.#objects += 1;
    if (this.#objects > objectLimit) throw this.#fault(`makes more than ${objectLimit} objects`);
    this.push(object());
  }

  /** Skips what needs no reading: the protocol's number, the length of a frame. */
  advance(bytes: number): void {
    this.#take(bytes);
  }

  integer(bytes: 1 | 2 | 4): void {
    this.push(bytes === 4 ? this.#view.getInt32(this.#take(4), true) : this.#unsigned(bytes));
  }

  float(): void {
    this.push(this.#view.getFloat64(this.#take(8), false));
  }

  /** Two's complement of any length. */
  long(lengthBytes: 1 | 4): void {
    const length = this.#unsigned(lengthBytes);
    if (length > integerBytesLimit) throw this.#fault(`has an integer of ${length} bytes`);
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(start + i));
    const signed = BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    this.push(Number.isSafeInteger(number) ? number : signed);
  }

  text(lengthBytes: 1 | 4 | 8): void {
    const bytes = this.#bytes(lengthBytes);
    this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  }

  bytes(lengthBytes: 1 | 4 | 8): void {
    this.push(this.#bytes(lengthBytes).slice());
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** What was pushed since the last mark. */
  sinceMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined || mark > this.#stack.length) throw this.#fault('has a mark too few');
    return this.#stack.splice(mark);
  }

  tuple(length: number): void {
    if (this.#stack.length - this.#floor() < length) throw this.#fault('takes more than there is');
    this.push(this.#stack.splice(this.#stack.length - length));
  }

  repeat(): void {
    this.push(this.#top());
  }

  append(values: readonly unknown[]): void {
    const list = this.#top();
    if (list instanceof Set) for (const value of values) list.add(value);
    else if (Array.isArray(list)) for (const value of values) list.push(value);
    else throw this.#fault('adds to something that is no list');
  }

  set(pairs: readonly unknown[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) throw this.#fault('sets items of something else');
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  }

  pair(): unknown[] {
    const value = this.pop();
    return [this.pop(), value];
  }

  one(): unknown[] {
    return [this.pop()];
  }

  remember(index: number | null): void {
    this.#memo.set(index ?? this.#memo.size, this.#top());
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.#fault(`asks for value ${index}, which it never kept`);
    this.push(this.#memo.get(index));
  }

  /** The opcode that comes next, or the number of a kept value. */
  number(bytes: 1 | 4): number {
    return this.#unsigned(bytes);
  }

  namedGlobal(): void {
    this.#global(this.#line(), this.#line());
  }

  stackGlobal(): void {
    const [module, name] = this.pair();
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.#fault('names a global by no name');
    this.#global(module, name);
  }

  /** `callable(*args)` and `cls.__new__(cls, *args)`: here both make a value of a kind that the library knows. */
  call(): void {
    const [callable, args] = this.pair();
    if (!(callable instanceof PickleGlobal) || !Array.isArray(args))
      throw this.#fault('calls something that cannot be called');
    this.make(() => {
      const value = callable.make(args);
      if (value === undefined) throw this.#fault(`calls ${callable.name} with what makes no sense`);
      return value;
    });
  }

  /** An object's attributes. Those of a dict (`_metadata` of a state) say nothing that is needed. */
  build(): void {
    const state = this.pop();
    const target = this.#top();
    if (target instanceof Map) return;
    if (!(target instanceof PickleInstance) || !target.setState(state))
      throw this.#fault('gives attributes to something that has none, or none that make sense');
  }

  persistent(): void {
    const value = this.#library.persistent(this.pop());
    if (value === undefined) throw this.#fault('refers to something outside of it that makes no sense');
    this.push(value);
  }

  #global(module: string, name: string): void {
    const known = this.#library.global(module, name);
    if (known === undefined)
      throw new ModelError(
        'not-supported',
        `${this.#path} wants ${printable(`${module}.${name}`)} of Python, which is not on the list of what weights may hold; nothing of it was run.`,
        'Trust the file only if you know its source: load it in Python and save its tensors alone, as safetensors or with torch.save.',
      );
    this.push(known);
  }

  /** Values below the last mark are not there for what comes after it. */
  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #top(): unknown {
    if (this.#stack.length <= this.#floor()) throw this.#fault('takes more than there is');
    return this.#stack.at(-1);
  }

  /** Steps over bytes; gives where they start. */
  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#view.byteLength - start) throw this.#fault('ends too early');
    this.#at += bytes;
    return start;
  }

  #unsigned(bytes: 1 | 2 | 4 | 8): number {
    const at = this.#take(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, true);
    return bytes === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  #bytes(lengthBytes: 1 | 4 | 8): Uint8Array<ArrayBuffer> {
    const length = this.#unsigned(lengthBytes);
    const start = this.#take(length);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length);
  }

  #line(): string {
    const start = this.#at;
    while (this.#unsigned(1) !== 0x0a);
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + start, this.#at - 1 - start).toString(
      'utf8',
    );
  }

  #fault(what: string): ModelError {
    return invalidFile(this.#path, `its pickle ${what} at byte ${this.#at}`);
  }
}

/** A name out of a file as it can stand in a message. */
function printable(name: string): string {
  return name.slice(0, 100).replaceAll(/[^\x20-\x7e]/g, '?');
}
