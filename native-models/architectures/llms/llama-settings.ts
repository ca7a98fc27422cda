import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { Gguf } from '../../formats/gguf.ts';

/** Longer contexts are cut to this: the rotary tables are made for every position. */
const mostPositions = 16_384;

const count = (most: number) => z.number().int().min(1).max(most);

/** What a LLaMA-like decoder is, apart from its weights. */
export interface LlamaSettings {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly epsilon: number;
  readonly theta: number;
}

/** Reads the settings of a GGUF file of architecture `llama`. Throws `not-supported` or `file-invalid`. */
export function readLlamaSettings(gguf: Gguf): LlamaSettings {
  const architecture = gguf.metadata('general.architecture', z.string());
  if (architecture !== 'llama')
    throw new ModelError(
      'not-supported',
      `${gguf.path} is of architecture ${architecture}.`,
      'Name a file of architecture llama, such as SmolLM2.',
    );
  const read = <T extends z.ZodType>(key: string, schema: T) => gguf.metadata(`llama.${key}`, schema);
  const hidden = read('embedding_length', count(65_536));
  const heads = read('attention.head_count', count(512));
  const kvHeads = read('attention.head_count_kv', count(512).default(heads));
  const headSize = read('attention.key_length', count(1024).default(Math.floor(hidden / heads)));
  const rotated = read('rope.dimension_count', count(1024).default(headSize));
  const scaling = read('rope.scaling.type', z.string().default('none'));
  if (heads % kvHeads !== 0 || headSize % 2 !== 0 || rotated !== headSize || scaling !== 'none')
    throw new ModelError(
      'not-supported',
      `${gguf.path} has ${heads} heads over ${kvHeads}, ${rotated} of ${headSize} dimensions rotated, position scaling ${scaling}.`,
      'Heads must divide by key heads, every dimension be rotated, and positions be unscaled.',
    );
  const [vocabulary = 0] = gguf.tensor('token_embd.weight').shape;
  return {
    layers: read('block_count', count(512)),
    hidden,
    heads,
    kvHeads,
    headSize,
    vocabulary,
    contextLength: Math.min(mostPositions, read('context_length', z.number().int().min(1))),
    epsilon: read('attention.layer_norm_rms_epsilon', z.number().positive().max(1)),
    theta: read('rope.freq_base', z.number().positive().default(10_000)),
  };
}
