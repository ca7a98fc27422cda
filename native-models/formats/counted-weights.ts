import type { LazyTensor, StoredType, TensorSource } from './tensor-source.ts';

/** Numbers that were not learnt: counters, flags. */
const notLearnt: ReadonlySet<StoredType> = new Set(['I64', 'I32', 'I16', 'BOOL']);

/** Weights that count what of them is used: a file may hold more than the part that is built from it. */
export class CountedWeights implements TensorSource {
  readonly #weights: TensorSource;
  readonly #read = new Map<string, { readonly elements: number; readonly type: StoredType }>();

  constructor(weights: TensorSource) {
    this.#weights = weights;
  }

  /** Learnt numbers whose data were read so far, each once. */
  get parameters(): number {
    return [...this.#read.values()].reduce((sum, { elements }) => sum + elements, 0);
  }

  /** How they lie in the file, the type of most of them first. */
  get types(): StoredType[] {
    const counts = new Map<StoredType, number>();
    for (const { type, elements } of this.#read.values())
      counts.set(type, (counts.get(type) ?? 0) + elements);
    return [...counts].toSorted(([, a], [, b]) => b - a).map(([type]) => type);
  }

  names(): string[] {
    return this.#weights.names();
  }

  has(name: string): boolean {
    return this.#weights.has(name);
  }

  tensor(name: string): LazyTensor {
    const tensor = this.#weights.tensor(name);
    const { type, shape } = tensor;
    const count = () => {
      const elements = shape.reduce((product, size) => product * size, 1);
      if (elements > 1 && !notLearnt.has(type)) this.#read.set(tensor.name, { elements, type });
    };
    return {
      ...{ name: tensor.name, type, shape },
      read: () => {
        count();
        return tensor.read();
      },
      float32: () => {
        count();
        return tensor.float32();
      },
      rows: (first, rows) => {
        count();
        return tensor.rows(first, rows);
      },
    };
  }
}
