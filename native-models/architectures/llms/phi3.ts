import { z } from 'zod';
import type { RotarySettings } from '../../layers/rotary.ts';
import { count, positive } from './decoder/config-settings.ts';
import { decoderFromConfig } from './decoder/from-config.ts';
import {
  divisorsOf,
  type GgufFields,
  rotaryFromGguf,
  rotatedDimensions,
  shapeFromGguf,
} from './decoder/gguf-settings.ts';
import { allAlike } from './decoder/layer-attention.ts';
import { type DecoderShape, plainDecoder } from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/**
 * Phi-3, Phi-3.5 and Phi-4-mini: packed matrices, LongRoPE up to the context that it was first trained with, on a part of each
 * head in Phi-4-mini, and one window for all layers.
 */
export const phi3: LlmFamily = {
  name: 'phi3',
  modelTypes: ['phi3'],
  folderNames: {},
  packed: true,
  ggufPairs: false,
  normsAroundZero: false,
  fromConfig: (config) =>
    decoderFromConfig(config, { epsilon: 1e-5, contextLength: 4096, theta: 10_000 }, (shape, rotary) => {
      const window = config.read('sliding_window', count(Number.MAX_SAFE_INTEGER).nullable().default(null));
      return { attention: allAlike(shape, rotary, window) };
    }),
  fromGguf(fields) {
    const { shape, rotary } = longRopeOf(fields);
    const window = fields.read('attention.sliding_window', z.number().int().nonnegative().default(0));
    return plainDecoder(fields.path, shape, rotary, { attention: allAlike(shape, rotary, window) });
  },
};

/** GGUF files keep LongRoPE's divisors as tensors; the context is cut to where the short ones hold. */
function longRopeOf(fields: GgufFields): { shape: DecoderShape; rotary: RotarySettings } {
  const shape = shapeFromGguf(fields);
  const dimensions = rotatedDimensions(fields, shape);
  const magnitude = fields.read('rope.scaling.attn_factor', positive.default(1));
  const scaling = divisorsOf(fields.gguf, 'rope_factors_short.weight', dimensions, magnitude);
  if (scaling === null) return { shape, rotary: rotaryFromGguf(fields, shape) };
  const original = fields.read(
    'rope.scaling.original_context_length',
    count(Number.MAX_SAFE_INTEGER).default(shape.contextLength),
  );
  return {
    shape: { ...shape, contextLength: Math.min(shape.contextLength, original) },
    rotary: { dimensions, theta: fields.read('rope.freq_base', positive.default(10_000)), scaling },
  };
}
