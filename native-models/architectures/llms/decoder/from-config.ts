import { z } from 'zod';
import type { ConfigFields } from '../../../formats/config-fields.ts';
import type { RotarySettings } from '../../../layers/rotary.ts';
import { rotaryFromConfig } from './config-rotary.ts';
import { activationFromConfig, type ShapeDefaults, shapeFromConfig } from './config-settings.ts';
import { type DecoderSettings, type DecoderShape, plainDecoder } from './settings.ts';

export interface FamilyDefaults extends ShapeDefaults {
  readonly theta: number;
}

/** Settings of a family that reads config.json as LLaMA does, and what it changes of them. Throws `ModelError`, naming the field. */
export function decoderFromConfig(
  config: ConfigFields,
  defaults: FamilyDefaults,
  changes: (shape: DecoderShape, rotary: RotarySettings) => Partial<DecoderSettings> = () => ({}),
): DecoderSettings {
  const read = shapeFromConfig(config, defaults);
  const { rotary, contextLength } = rotaryFromConfig(config, read, defaults.theta);
  const shape = { ...read, contextLength };
  return plainDecoder(config.path, shape, rotary, {
    activation: activationFromConfig(config, 'hidden_act', 'silu'),
    tied: config.read('tie_word_embeddings', z.boolean().optional()) ?? null,
    ...changes(shape, rotary),
  });
}
