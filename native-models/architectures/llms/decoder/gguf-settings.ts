import { z } from 'zod';
import { ModelError } from '../../../errors.ts';
import type { Gguf } from '../../../formats/gguf.ts';
import { expectShape } from '../../../layers/expect-shape.ts';
import type { RotarySettings } from '../../../layers/rotary.ts';
import { type RotaryScaling, yarnMagnitude } from '../../../layers/rotary-scaling.ts';
import { count, positive } from './config-settings.ts';
import type { DecoderShape } from './settings.ts';

/** The metadata of a GGUF file that describe its model: keys are those after the architecture's name. */
export class GgufFields {
  readonly gguf: Gguf;
  readonly #architecture: string;

  constructor(gguf: Gguf, architecture: string) {
    this.gguf = gguf;
    this.#architecture = architecture;
  }

  get path(): string {
    return this.gguf.path;
  }

  /** Throws `file-invalid`, naming the key, when it is missing (and has no default) or something else. */
  read<T extends z.ZodType>(key: string, schema: T): z.output<T> {
    return this.gguf.metadata(`${this.#architecture}.${key}`, schema);
  }
}

/** Reads the sizes that all architectures name alike. Throws `file-invalid` or `not-supported`. */
export function shapeFromGguf(fields: GgufFields): DecoderShape {
  const hidden = fields.read('embedding_length', count(65_536));
  const heads = fields.read('attention.head_count', count(512));
  const headSize = fields.read('attention.key_length', count(1024).default(Math.floor(hidden / heads)));
  const valueSize = fields.read('attention.value_length', count(1024).default(headSize));
  if (valueSize !== headSize)
    throw new ModelError(
      'not-supported',
      `${fields.path} has keys of ${headSize} and values of ${valueSize} dimensions.`,
      'It builds models whose keys and values are alike.',
    );
  return {
    layers: fields.read('block_count', count(512)),
    hidden,
    heads,
    kvHeads: fields.read('attention.head_count_kv', count(512).default(heads)),
    headSize,
    contextLength: fields.read('context_length', z.number().int().min(1)),
    epsilon: fields.read('attention.layer_norm_rms_epsilon', z.number().positive().max(1)),
  };
}

/** Rotary positions by `rope.…`, and the divisors of Llama 3 where the file carries them. Throws `not-supported`. */
export function rotaryFromGguf(
  fields: GgufFields,
  shape: DecoderShape,
  defaultTheta = 10_000,
): RotarySettings {
  const dimensions = rotatedDimensions(fields, shape);
  return {
    dimensions,
    theta: fields.read('rope.freq_base', positive.default(defaultTheta)),
    scaling: divisorsOf(fields.gguf, 'rope_freqs.weight', dimensions, 1) ?? scalingOf(fields, shape),
  };
}

export function rotatedDimensions(fields: GgufFields, { headSize }: DecoderShape): number {
  return fields.read('rope.dimension_count', count(1024).default(headSize));
}

/** A tensor of divisors, one for each pair of dimensions; null where the file has none of that name. */
export function divisorsOf(
  gguf: Gguf,
  name: string,
  dimensions: number,
  magnitude: number,
): RotaryScaling | null {
  if (!gguf.has(name)) return null;
  const divisors = expectShape(gguf.tensor(name), [dimensions / 2]).float32();
  return { kind: 'divided', divisors, magnitude };
}

function scalingOf(fields: GgufFields, { contextLength }: DecoderShape): RotaryScaling {
  const kind = fields.read('rope.scaling.type', z.string().default('none'));
  const factor = () => fields.read('rope.scaling.factor', positive);
  switch (kind) {
    case 'none':
      return { kind: 'none' };
    case 'linear':
      return { kind: 'linear', factor: factor() };
    case 'yarn':
      return {
        kind: 'yarn',
        factor: factor(),
        originalPositions: fields.read(
          'rope.scaling.original_context_length',
          count(Number.MAX_SAFE_INTEGER).default(contextLength),
        ),
        betaFast: fields.read('rope.scaling.yarn_beta_fast', positive.default(32)),
        betaSlow: fields.read('rope.scaling.yarn_beta_slow', positive.default(1)),
        truncate: true,
        magnitude: yarnMagnitude(factor()) * fields.read('rope.scaling.attn_factor', positive.default(1)),
      };
    default:
      throw new ModelError(
        'not-supported',
        `${fields.path} scales positions by ${kind}, which is not built.`,
        'It builds none, linear and yarn, and the divisors of Llama 3 and Phi-3 files.',
      );
  }
}
