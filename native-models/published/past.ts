import { Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import type { PastPort } from './decoder-layout.ts';
import { feedable, floatsOf, floatTensor, halfBits, halfTensor } from './element-types.ts';

/** Keys and values [1, heads, length, headSize] of one sequence, in the types that the graph gives and takes. */
export class Past {
  readonly #ports: readonly PastPort[];
  #tensors: readonly Tensor[];
  #length = 0;

  constructor(ports: readonly PastPort[]) {
    this.#ports = ports;
    this.#tensors = ports.map((port) => emptyTensor(port));
  }

  /** Positions held. */
  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#tensors.reduce((sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0), 0);
  }

  feeds(): Record<string, Tensor> {
    return Object.fromEntries(this.#tensors.map((tensor, i) => [this.#ports[i]?.name, tensor]));
  }

  /** Takes over what the graph gave for `added` positions. Throws `bundle-invalid` when it gave something else. */
  accept(outputs: Readonly<Record<string, Tensor>>, added: number): void {
    const length = this.#length + added;
    const present = this.#ports.map(({ present: name, heads, headSize }) => {
      const tensor = outputs[name];
      const [, itsHeads, itsLength, itsSize] = tensor?.dims ?? [];
      if (tensor === undefined || itsHeads !== heads || itsLength !== length || itsSize !== headSize)
        throw new ModelError(
          'bundle-invalid',
          `The decoder graph gave ${name} as [${tensor?.dims.join(', ')}] for ${length} positions.`,
          'Use a model in the layout of transformers.js.',
        );
      return feedable(tensor);
    });
    this.#replace(present, length);
  }

  /** Forgets the positions from `length` on. */
  truncate(length: number): void {
    if (length >= this.#length) return;
    const cut = this.#tensors.map((tensor, i) => {
      const { heads = 0, headSize = 0 } = this.#ports[i] ?? {};
      return shortened(tensor, heads, headSize, length);
    });
    this.#replace(cut, length);
  }

  /** Becomes a copy of another sequence's. */
  follow(other: Past): void {
    // Tensors are never written to, so two sequences can hold the same ones.
    this.#replace(other.#tensors, other.length);
  }

  /** All keys and values after one another, as float32: half precision loses nothing by it. */
  values(): Float32Array {
    const all = this.#tensors.map(floatsOf);
    const joined = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const values of all) {
      joined.set(values, at);
      at += values.length;
    }
    return joined;
  }

  /** Takes over what `values` gave for `length` positions. */
  restore(values: Float32Array, length: number): void {
    let at = 0;
    const restored = this.#ports.map(({ type, heads, headSize }) => {
      const part = values.slice(at, at + heads * length * headSize);
      at += part.length;
      return floatTensor(type, part, [1, heads, length, headSize]);
    });
    this.#replace(restored, length);
  }

  #replace(tensors: readonly Tensor[], length: number): void {
    this.#tensors = tensors;
    this.#length = length;
  }
}

function emptyTensor({ type, heads, headSize }: PastPort): Tensor {
  return floatTensor(type, new Float32Array(0), [1, heads, 0, headSize]);
}

/** The first `length` positions of every head, without leaving the tensor's type. */
function shortened(tensor: Tensor, heads: number, headSize: number, length: number): Tensor {
  const shape = [1, heads, length, headSize];
  const { data, dims } = tensor;
  if (tensor.type === 'float16' && ArrayBuffer.isView(data)) {
    const bits = halfBits(data);
    const kept = new Uint16Array(heads * length * headSize);
    copyHeads(bits, kept, dims[2] ?? 0, length, headSize);
    return halfTensor(kept, shape);
  }
  const kept = new Float32Array(heads * length * headSize);
  copyHeads(floatsOf(tensor), kept, dims[2] ?? 0, length, headSize);
  return new Tensor('float32', kept, shape);
}

function copyHeads<Values extends Float32Array | Uint16Array>(
  from: Values,
  into: Values,
  held: number,
  length: number,
  headSize: number,
): void {
  for (let head = 0; head * length * headSize < into.length; head++) {
    const start = head * held * headSize;
    into.set(from.subarray(start, start + length * headSize), head * length * headSize);
  }
}
