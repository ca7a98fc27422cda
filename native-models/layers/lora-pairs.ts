import { ModelError } from '../errors.ts';
import type { LazyTensor, TensorSource } from '../formats/tensor-source.ts';

/** The two narrow matrices of a LoRA for each linear layer that it changes. */
export interface LoraPairs {
  readonly rank: number;
  /** How many layers of the decoder it reaches to. */
  readonly layers: number;
  /** A [rank, inputs] and B [outputs, rank] of a layer's linear layer, by PyTorch's name for it; null where it leaves it alone. */
  pair(layer: number, name: string): { readonly a: LazyTensor; readonly b: LazyTensor } | null;
}

/**
 * What may stand before `layers.N.…`: PEFT's wrappers, and the names under which speech LLMs keep their language model. A LoRA of
 * an audio tower in the same file has another.
 */
const prefix = /^(?:(?:lora|module|model|base_model|llama_model|language_model|text_model|llm)\.)*$/;
const ending = /^(.*?)layers\.(\d{1,4})\.(?:self_attn|mlp)\.(\w+?_proj)\.(?:lora_)?([AB])(?:\.(\w+))?$/;
const targets = new Set(
  ['q', 'k', 'v', 'qkv', 'o', 'gate', 'up', 'gate_up', 'down'].map((name) => `${name}_proj`),
);

/**
 * Finds a LoRA's tensors by their names: the project's own (`lora.model.layers.N.self_attn.q_proj.A`), those of PEFT
 * (`base_model.model.model.layers.N.self_attn.q_proj.lora_A.weight`), or within a checkpoint that holds more. Throws
 * `tensor-missing` when there are none or half a pair, and `not-supported`, by name, for changes that no branch makes.
 */
export function loraPairs(tensors: TensorSource, rank: number): LoraPairs {
  const halves = new Map<string, string>();
  let layers = 0;
  for (const name of tensors.names()) {
    const found = nameOf(name);
    if (found === null) continue;
    const [layer, module, side] = found;
    const key = `${layer}.${module}.${side}`;
    const other = halves.get(key);
    if (other !== undefined)
      throw new ModelError(
        'not-supported',
        `The LoRA has ${other} and ${name} for one layer.`,
        'Give a file with one adapter.',
      );
    halves.set(key, name);
    layers = Math.max(layers, layer + 1);
  }
  if (layers === 0)
    throw new ModelError(
      'tensor-missing',
      'The LoRA has no tensors for a language model: none is named …layers.N.….lora_A.',
      'Name the file that holds the LoRA, or leave `lora` out of the recipe.',
    );
  return {
    rank,
    layers,
    pair(layer, module) {
      const half = (side: string) => halves.get(`${layer}.${module}.${side}`);
      const [a, b] = [half('A'), half('B')];
      if (a === undefined && b === undefined) return null;
      if (a !== undefined && b !== undefined) return { a: tensors.tensor(a), b: tensors.tensor(b) };
      throw new ModelError(
        'tensor-missing',
        `The LoRA has ${a ?? b}, but not the other half of the pair.`,
        'The file is incomplete: fetch it again.',
      );
    },
  };
}

/** Layer, module and side that a name stands for; null where it is no LoRA of the language model. */
function nameOf(name: string): [layer: number, module: string, side: string] | null {
  const plain = name.replace(/\.weight$/, '');
  const [, before = '', layer = '', module = '', side = ''] = ending.exec(plain) ?? [];
  if (targets.has(module) && prefix.test(before)) return [Number(layer), module, side];
  const [, start] =
    /^(.*?)(?:layers\.\d+\..*|\w+)\.lora_(?:[AB]|embedding_[AB]|magnitude_vector)\b/.exec(name) ?? [];
  if (start === undefined || !prefix.test(start)) return null;
  throw new ModelError(
    'not-supported',
    `The LoRA changes ${name}, which no branch does.`,
    `Linear layers of attention and feed-forward blocks may be changed: ${[...targets].join(', ')}.`,
  );
}
