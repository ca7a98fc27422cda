import { z } from 'zod';
import { ModelError } from '../../../errors.ts';
import type { ConfigFields } from '../../../formats/config-fields.ts';
import type { Activation, DecoderShape } from './settings.ts';

export const count = (most: number) => z.number().int().min(1).max(most);
export const positive = z.number().positive().finite();

/** What config.json leaves out where a model keeps to its family's defaults, as transformers has them. */
export interface ShapeDefaults {
  readonly epsilon: number;
  readonly contextLength: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headSize?: number;
}

/** Reads the sizes that config.json names alike in all families. Throws `file-invalid`, naming the field. */
export function shapeFromConfig(config: ConfigFields, defaults: ShapeDefaults): DecoderShape {
  const hidden = config.read('hidden_size', count(65_536));
  const heads = config.read('num_attention_heads', withDefault(count(512), defaults.heads));
  return {
    layers: config.read('num_hidden_layers', count(512)),
    hidden,
    heads,
    kvHeads: config.read('num_key_value_heads', count(512).default(defaults.kvHeads ?? heads)),
    headSize: config.read('head_dim', count(1024).default(defaults.headSize ?? Math.floor(hidden / heads))),
    contextLength: config.read(
      'max_position_embeddings',
      count(Number.MAX_SAFE_INTEGER).default(defaults.contextLength),
    ),
    epsilon: config.read('rms_norm_eps', z.number().positive().max(1).default(defaults.epsilon)),
  };
}

function withDefault(schema: z.ZodNumber, value: number | undefined) {
  return value === undefined ? schema : schema.default(value);
}

const activations: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
};

export function activationFromConfig(config: ConfigFields, key: string, usual: string): Activation {
  const name = config.read(key, z.string().default(usual));
  const activation = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (activation !== undefined) return activation;
  throw new ModelError(
    'not-supported',
    `${config.path} has ${key} ${name}, which is not built.`,
    `It builds ${Object.keys(activations).join(', ')}.`,
  );
}

/** Which layers look back through a window: by `layer_types`, or as the family says. */
export function windowedLayers(
  config: ConfigFields,
  layers: number,
  usual: (layer: number) => boolean,
): boolean[] {
  const types = config.read('layer_types', z.array(z.string()).optional());
  if (types === undefined) return Array.from({ length: layers }, (_, layer) => usual(layer));
  if (types.length !== layers)
    throw new ModelError(
      'file-invalid',
      `${config.path} names the types of ${types.length} layers, but has ${layers}.`,
      'Take config.json and weights from the same model.',
    );
  return types.map((type) => {
    if (type === 'sliding_attention' || type === 'full_attention') return type === 'sliding_attention';
    throw new ModelError(
      'not-supported',
      `${config.path} has layers of the type ${type}, which are not built.`,
      'It builds full_attention and sliding_attention.',
    );
  });
}
