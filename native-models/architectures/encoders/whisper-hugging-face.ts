import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';

const configSchema = z.object({
  encoder_attention_heads: z.number().int().min(1).max(1024),
  decoder_attention_heads: z.number().int().min(1).max(1024),
  suppress_tokens: z.array(z.number().int()).nullish(),
  begin_suppress_tokens: z.array(z.number().int()).nullish(),
});

/** Whether tensors are named as transformers names a Whisper's. */
export function isHuggingFaceWhisper(tensors: TensorSource): boolean {
  return prefixes.some((prefix) => tensors.has(`${prefix}encoder.conv1.weight`));
}

/** With and without the decoder's output layer around it. */
const prefixes = ['model.', ''];

/**
 * A Whisper saved by transformers, seen under the names that CTranslate2 gives its tensors, with queries, keys and values in one
 * matrix: one architecture then reads both. Keys have no bias there, and one of zeros here.
 */
export class HuggingFaceWhisper implements TensorSource {
  /** The fields of CTranslate2's config.json. */
  readonly config: { readonly suppress_ids: number[]; readonly suppress_ids_begin: number[] };
  readonly #tensors: TensorSource;
  readonly #prefix: string;
  readonly #heads: number;

  /** `config` is config.json, with generation_config.json over it where there is one. Throws `file-invalid`. */
  constructor(tensors: TensorSource, config: unknown) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success || parsed.data.encoder_attention_heads !== parsed.data.decoder_attention_heads)
      throw new ModelError(
        'file-invalid',
        'config.json beside the weights is not that of a Whisper.',
        "Take config.json from the model's own repository.",
      );
    this.#tensors = tensors;
    this.#prefix = prefixes.find((prefix) => tensors.has(`${prefix}encoder.conv1.weight`)) ?? '';
    this.#heads = parsed.data.encoder_attention_heads;
    this.config = {
      suppress_ids: parsed.data.suppress_tokens ?? [],
      suppress_ids_begin: parsed.data.begin_suppress_tokens ?? [],
    };
  }

  /** The names of the file itself. */
  names(): string[] {
    return this.#tensors.names();
  }

  has(name: string): boolean {
    return name === headsName || this.#parts(name).every((part) => part === null || this.#tensors.has(part));
  }

  tensor(name: string): LazyTensor {
    if (name === headsName) return numberTensor(name, this.#heads);
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
    const suffix = kind === 'gamma' || kind === 'encodings' ? 'weight' : kind === 'beta' ? 'bias' : kind;
    const modules = (layer === undefined ? outerModules : layerModules)[middle] ?? [name];
    const at = `${this.#prefix}${side}.${layer === undefined ? '' : `layers.${layer}.`}`;
    return modules.map((module) =>
      module.endsWith('k_proj') && suffix === 'bias' ? null : `${at}${module}.${suffix}`,
    );
  }
}

const headsName = 'encoder/num_heads';

const outerModules: Readonly<Record<string, readonly string[]>> = {
  conv1: ['conv1'],
  conv2: ['conv2'],
  position_encodings: ['embed_positions'],
  embeddings: ['embed_tokens'],
  layer_norm: ['layer_norm'],
};

const layerModules: Readonly<Record<string, readonly string[]>> = {
  'self_attention/layer_norm': ['self_attn_layer_norm'],
  'self_attention/linear_0': ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  'self_attention/linear_1': ['self_attn.out_proj'],
  'attention/layer_norm': ['encoder_attn_layer_norm'],
  'attention/linear_0': ['encoder_attn.q_proj'],
  'attention/linear_1': ['encoder_attn.k_proj', 'encoder_attn.v_proj'],
  'attention/linear_2': ['encoder_attn.out_proj'],
  'ffn/layer_norm': ['final_layer_norm'],
  'ffn/linear_0': ['fc1'],
  'ffn/linear_1': ['fc2'],
};

function joinedRows(name: string, parts: readonly (LazyTensor | null)[]): LazyTensor {
  const known = parts.find((part) => part !== null);
  const rest = known?.shape.slice(1) ?? [];
  const rowsOf = (part: LazyTensor | null) => (part ?? known)?.shape[0] ?? 0;
  const size = rest.reduce((product, dimension) => product * dimension, 1);
  const float32 = () => {
    const total = parts.reduce((sum, part) => sum + rowsOf(part) * size, 0);
    const joined = new Float32Array(total);
    let start = 0;
    for (const part of parts) {
      if (part !== null) joined.set(part.float32(), start);
      start += rowsOf(part) * size;
    }
    return joined;
  };
  const shape = [parts.reduce((sum, part) => sum + rowsOf(part), 0), ...rest];
  return derivedTensor(name, shape, float32);
}

function numberTensor(name: string, value: number): LazyTensor {
  return derivedTensor(name, [], () => Float32Array.of(value));
}
