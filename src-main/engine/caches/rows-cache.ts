import { Tensor } from 'onnxruntime-node';
import type { Feeds, Outputs } from '../onnxruntime/session.ts';
import { type CacheShape, type KeyValueCache, pastNames } from './key-value-cache.ts';
import type { Rows } from './kv-snapshot.ts';

/** Positions by which a full cache grows. */
const growth = 128;

/**
 * Keys and values on the CPU, in buffers of this process. The graph reads them without a copy and gives only the new rows,
 * which are written in behind the old ones: what a step copies does not grow with the conversation.
 */
export class RowsCache implements KeyValueCache {
  readonly outputs = ['rows'];
  readonly #shape: CacheShape;
  readonly #names: readonly string[];
  readonly #type: 'float32' | 'int8';
  /** [kvHeads, capacity, headSize] each; keys of layer N at 2N, values at 2N+1. */
  #buffers: Rows[];
  #tensors: Feeds = {};
  #capacity: number;
  #length = 0;

  constructor(shape: CacheShape, type: 'float32' | 'int8') {
    this.#shape = shape;
    this.#type = type;
    this.#names = pastNames(shape.layers);
    this.#capacity = growth;
    this.#buffers = this.#names.map(() => this.#buffer(growth));
    this.#wrap();
  }

  /** A cache that starts with the rows of a snapshot: [2·layers, kvHeads, length, headSize]. */
  static from(shape: CacheShape, type: 'float32' | 'int8', rows: Rows, length: number): RowsCache {
    const cache = new RowsCache(shape, type);
    cache.#reserve(length);
    cache.#write(rows, length);
    return cache;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  }

  feeds(added: number): Feeds {
    this.#reserve(this.#length + added);
    return this.#tensors;
  }

  accept(outputs: Outputs, added: number): void {
    const rows = outputs.rows?.data;
    const values = this.#names.length * this.#shape.kvHeads * added * this.#shape.headSize;
    if (!(rows instanceof Float32Array || rows instanceof Int8Array) || rows.length !== values)
      throw new TypeError('the decoder gave no rows of the expected size');
    this.#write(rows, added);
  }

  truncate(length: number): Promise<void> {
    this.#length = Math.min(length, this.#length);
    return Promise.resolve();
  }

  follow(other: KeyValueCache, shared: number): Promise<void> {
    if (!(other instanceof RowsCache)) throw new TypeError('rows can only follow rows');
    const { kvHeads, headSize } = this.#shape;
    this.#length = shared;
    this.#reserve(other.length);
    const strides = { here: this.#capacity * headSize, there: other.#capacity * headSize };
    this.#buffers.forEach((buffer, i) => {
      for (let head = 0; head < kvHeads; head++) {
        const start = head * strides.there;
        const rows = other.#buffers[i]?.subarray(start + shared * headSize, start + other.length * headSize);
        if (rows !== undefined) buffer.set(rows, head * strides.here + shared * headSize);
      }
    });
    this.#length = other.length;
    return Promise.resolve();
  }

  rows(): Promise<Rows> {
    const { kvHeads, headSize } = this.#shape;
    const size = this.#length * headSize;
    const count = this.#buffers.length * kvHeads * size;
    const rows = this.#type === 'int8' ? new Int8Array(count) : new Float32Array(count);
    let at = 0;
    for (const buffer of this.#buffers) {
      for (let head = 0; head < kvHeads; head++, at += size) {
        const start = head * this.#capacity * headSize;
        rows.set(buffer.subarray(start, start + size), at);
      }
    }
    return Promise.resolve(rows);
  }

  dispose(): void {
    this.#buffers = [];
    this.#tensors = {};
    this.#length = 0;
  }

  #write(rows: Rows, added: number): void {
    const { kvHeads, headSize } = this.#shape;
    const size = added * headSize;
    let at = 0;
    for (const buffer of this.#buffers) {
      for (let head = 0; head < kvHeads; head++, at += size)
        buffer.set(rows.subarray(at, at + size), (head * this.#capacity + this.#length) * headSize);
    }
    this.#length += added;
  }

  #reserve(length: number): void {
    if (length <= this.#capacity) return;
    const { kvHeads, headSize } = this.#shape;
    const capacity = Math.ceil(length / growth) * growth;
    this.#buffers = this.#buffers.map((old) => {
      const grown = this.#buffer(capacity);
      for (let head = 0; head < kvHeads; head++) {
        const start = head * this.#capacity * headSize;
        grown.set(old.subarray(start, start + this.#length * headSize), head * capacity * headSize);
      }
      return grown;
    });
    this.#capacity = capacity;
    this.#wrap();
  }

  #buffer(capacity: number): Rows {
    const values = this.#shape.kvHeads * capacity * this.#shape.headSize;
    return this.#type === 'int8' ? new Int8Array(values) : new Float32Array(values);
  }

  #wrap(): void {
    const dimensions = [1, this.#shape.kvHeads, this.#capacity, this.#shape.headSize];
    this.#tensors = Object.fromEntries(
      this.#buffers.map((buffer, i) => [
        this.#names[i],
        buffer instanceof Int8Array
          ? new Tensor('int8', buffer, dimensions)
          : new Tensor('float32', buffer, dimensions),
      ]),
    );
  }
}
