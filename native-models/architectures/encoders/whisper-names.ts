import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { joinedRows } from './joined-rows.ts';
import { countModules } from './modules.ts';

/** Where a publisher keeps a Whisper's modules; the keys are CTranslate2's names of them. */
export interface WhisperNaming {
  /** What stands before every name of the encoder and of the decoder, the point at the end included. */
  readonly encoder: string;
  readonly decoder: string;
  /** How the list of layers is called. */
  readonly layers: string;
  /** Modules outside of layers, on either side. */
  readonly outer: Readonly<Record<'encoder' | 'decoder', Readonly<Record<string, string>>>>;
  /** Modules of a layer; several make one matrix, one below another. */
  readonly inner: Readonly<Record<string, readonly string[]>>;
  /** The one module that is a tensor itself, with no `.weight` after it; none by default. */
  readonly bare?: string;
}

const headsName = 'encoder/num_heads';

/**
 * A Whisper of another publisher, seen under the names that CTranslate2 gives its tensors, with queries, keys and values in one
 * matrix: one architecture then reads all. Keys have no bias there, and one of zeros here.
 */
export class RenamedWhisper implements TensorSource {
  readonly #tensors: TensorSource;
  readonly #naming: WhisperNaming;
  readonly #heads: number | null;

  /** `heads` of each attention, where the publisher says it. */
  constructor(tensors: TensorSource, naming: WhisperNaming, heads: number | null) {
    this.#tensors = tensors;
    this.#naming = naming;
    this.#heads = heads;
  }

  /** The names of the file itself. */
  names(): string[] {
    return this.#tensors.names();
  }

  /** Layers of a side. */
  layerCount(side: 'encoder' | 'decoder'): number {
    return countModules(this.#tensors.names(), `${this.#naming[side]}${this.#naming.layers}.`);
  }

  has(name: string): boolean {
    if (name === headsName) return this.#heads !== null;
    const parts = this.#parts(name);
    return (
      parts.some((part) => part !== null) && parts.every((part) => part === null || this.#tensors.has(part))
    );
  }

  tensor(name: string): LazyTensor {
    const heads = this.#heads;
    if (name === headsName && heads !== null) return derivedTensor(name, [], () => Float32Array.of(heads));
    const parts = this.#parts(name).map((part) => (part === null ? null : this.#tensors.tensor(part)));
    const [only] = parts;
    if (parts.length === 1 && only !== null && only !== undefined) return only;
    return joinedRows(name, parts);
  }

  /** Names in the file whose rows, one below another, make the tensor; null is as many zeros as the first part has. */
  #parts(name: string): (string | null)[] {
    const match = /^(encoder|decoder)\/(?:layer_(\d+)\/)?(.+?)\/?(weight|bias|gamma|beta|encodings)$/.exec(
      name,
    );
    const [, side, layer, middle = '', kind = ''] = match ?? [];
    if (side !== 'encoder' && side !== 'decoder') return [name];
    const suffix = kind === 'gamma' || kind === 'encodings' ? 'weight' : kind === 'beta' ? 'bias' : kind;
    const { outer, inner, layers, bare } = this.#naming;
    const found = layer === undefined ? outer[side][middle] : inner[middle];
    const modules = found === undefined ? [middle] : typeof found === 'string' ? [found] : found;
    const at = `${this.#naming[side]}${layer === undefined ? '' : `${layers}.${layer}.`}`;
    return modules.map((module) => {
      const part = module === bare ? `${at}${module}` : `${at}${module}.${suffix}`;
      const keysWithout = modules.length > 1 && suffix === 'bias' && !this.#tensors.has(part);
      return keysWithout && /\bk_proj$|\bkey$/.test(module) ? null : part;
    });
  }
}
