import { Tensor } from 'onnxruntime-node';
import type { Feeds, Outputs } from '../onnxruntime/session.ts';
import { type CacheShape, type KeyValueCache, pastNames, presentNames } from './key-value-cache.ts';
import type { Rows } from './kv-snapshot.ts';

/** Cuts and fetches tensors that may live on a device, where JavaScript cannot reach into them. */
export interface TensorCutter {
  /** The first `length` positions of [1, kvHeads, P, headSize], on the same device. */
  cut(tensor: Tensor, length: number): Promise<Tensor>;
  /** The values of a tensor, here. */
  fetch(tensor: Tensor): Promise<Float32Array>;
}

/**
 * Keys and values as whole tensors [1, kvHeads, P, headSize] that one step gives and the next one takes: on WebGPU they stay
 * on the device all the while. Device memory is freed as soon as a step has replaced it.
 */
export class DeviceCache implements KeyValueCache {
  readonly outputs: readonly string[];
  readonly #shape: CacheShape;
  readonly #names: readonly string[];
  readonly #cutter: TensorCutter;
  #tensors: Tensor[];
  #length: number;

  private constructor(shape: CacheShape, cutter: TensorCutter, tensors: Tensor[], length: number) {
    this.#shape = shape;
    this.#cutter = cutter;
    this.#names = pastNames(shape.layers);
    this.outputs = presentNames(shape.layers);
    this.#tensors = tensors;
    this.#length = length;
  }

  /** A cache of `length` positions with the rows of a snapshot, or an empty one. */
  static from(
    shape: CacheShape,
    cutter: TensorCutter,
    rows: Float32Array = new Float32Array(0),
    length = 0,
  ): DeviceCache {
    const { layers, kvHeads, headSize } = shape;
    const size = kvHeads * length * headSize;
    const tensors = Array.from(
      { length: 2 * layers },
      (_, i) => new Tensor('float32', rows.slice(i * size, (i + 1) * size), [1, kvHeads, length, headSize]),
    );
    return new DeviceCache(shape, cutter, tensors, length);
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return 4 * this.#tensors.length * this.#shape.kvHeads * this.#length * this.#shape.headSize;
  }

  feeds(): Feeds {
    return Object.fromEntries(this.#tensors.map((tensor, i) => [this.#names[i], tensor]));
  }

  accept(outputs: Outputs, added: number): void {
    const present = this.outputs.map((name) => {
      const tensor = outputs[name];
      if (tensor === undefined) throw new TypeError(`the decoder gave no ${name}`);
      return tensor;
    });
    this.#replace(present, this.#length + added);
  }

  async truncate(length: number): Promise<void> {
    if (length >= this.#length) return;
    const cut: Tensor[] = [];
    for (const tensor of this.#tensors) cut.push(await this.#cutter.cut(tensor, length));
    this.#replace(cut, length);
  }

  async follow(other: KeyValueCache): Promise<void> {
    if (!(other instanceof DeviceCache)) throw new TypeError("a device's tensors can only follow such");
    const copies: Tensor[] = [];
    for (const tensor of other.#tensors) copies.push(await this.#cutter.cut(tensor, other.length));
    this.#replace(copies, other.length);
  }

  async rows(): Promise<Rows> {
    const size = this.#shape.kvHeads * this.#length * this.#shape.headSize;
    const rows = new Float32Array(this.#tensors.length * size);
    for (const [i, tensor] of this.#tensors.entries()) rows.set(await this.#cutter.fetch(tensor), i * size);
    return rows;
  }

  dispose(): void {
    this.#replace([], 0);
  }

  #replace(tensors: Tensor[], length: number): void {
    for (const tensor of this.#tensors) tensor.dispose();
    this.#tensors = tensors;
    this.#length = length;
  }
}
