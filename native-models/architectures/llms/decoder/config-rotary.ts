import { z } from 'zod';
import { ModelError } from '../../../errors.ts';
import { ConfigFields } from '../../../formats/config-fields.ts';
import type { RotarySettings } from '../../../layers/rotary.ts';
import { longRopeMagnitude, type RotaryScaling, yarnMagnitude } from '../../../layers/rotary-scaling.ts';
import { count, positive } from './config-settings.ts';
import type { DecoderShape } from './settings.ts';

export interface ConfigRotary {
  readonly rotary: RotarySettings;
  /** Positions for which it holds. */
  readonly contextLength: number;
}

/**
 * Rotary positions of config.json, by the names of transformers 5 (`rope_parameters`) and of those before it (`rope_theta`,
 * `rope_scaling`, `partial_rotary_factor`). Throws `not-supported`, naming the kind, or `file-invalid`.
 */
export function rotaryFromConfig(
  config: ConfigFields,
  shape: DecoderShape,
  defaultTheta: number,
): ConfigRotary {
  const parameters = config.part('rope_parameters') ?? config.part('rope_scaling');
  return rotaryFromParameters(config, parameters, shape, defaultTheta);
}

/** The same for one kind of layer, whose parameters stand apart; `thetaKey` is where older files keep its base. */
export function rotaryFromParameters(
  config: ConfigFields,
  found: ConfigFields | null,
  shape: DecoderShape,
  defaultTheta: number,
  thetaKey = 'rope_theta',
): ConfigRotary {
  const parameters = found ?? new ConfigFields(config.path, {});
  const theta = parameters.read('rope_theta', positive.optional());
  const share = parameters.read('partial_rotary_factor', positive.max(1).optional());
  const whole = config.read('partial_rotary_factor', positive.max(1).default(1));
  const dimensions = Math.trunc(shape.headSize * (share ?? whole));
  const { scaling, contextLength } = scalingOf(config, parameters, shape, dimensions);
  return {
    rotary: { dimensions, theta: theta ?? config.read(thetaKey, positive.default(defaultTheta)), scaling },
    contextLength,
  };
}

interface Scaled {
  readonly scaling: RotaryScaling;
  readonly contextLength: number;
}

function scalingOf(
  config: ConfigFields,
  parameters: ConfigFields,
  shape: DecoderShape,
  dimensions: number,
): Scaled {
  const older = parameters.read('type', z.string().default('default'));
  const kind = parameters.read('rope_type', z.string().default(older));
  const { contextLength } = shape;
  const factor = () => parameters.read('factor', positive);
  switch (kind) {
    case 'default':
      return { scaling: { kind: 'none' }, contextLength };
    case 'dynamic':
      // Up to the positions that it was trained for it scales nothing; beyond them its tables would change as a text grows.
      return { scaling: { kind: 'none' }, contextLength };
    case 'linear':
      return { scaling: { kind: 'linear', factor: factor() }, contextLength };
    case 'llama3': {
      const scaling = {
        kind: 'llama3',
        factor: factor(),
        lowFrequencyFactor: parameters.read('low_freq_factor', positive),
        highFrequencyFactor: parameters.read('high_freq_factor', positive),
        originalPositions: originalPositions(config, parameters, contextLength),
      } as const;
      return { scaling, contextLength };
    }
    case 'yarn':
      // Early Phi-3 files call LongRoPE so.
      if (parameters.has('short_factor')) return longRope(config, parameters, contextLength, dimensions);
      return { scaling: yarn(config, parameters, contextLength), contextLength };
    case 'longrope':
    case 'su':
      return longRope(config, parameters, contextLength, dimensions);
    default:
      throw new ModelError(
        'not-supported',
        `${config.path} scales positions by ${kind}, which is not built.`,
        'It builds default, dynamic, linear, llama3, yarn and longrope.',
      );
  }
}

/** Phi-3 keeps it beside the parameters, and there it counts first. */
function originalPositions(config: ConfigFields, parameters: ConfigFields, contextLength: number): number {
  const key = 'original_max_position_embeddings';
  const within = parameters.read(key, count(Number.MAX_SAFE_INTEGER).default(contextLength));
  return config.read(key, count(Number.MAX_SAFE_INTEGER).default(within));
}

function yarn(config: ConfigFields, parameters: ConfigFields, contextLength: number): RotaryScaling {
  const original = originalPositions(config, parameters, contextLength);
  const factor = parameters.read('factor', positive.default(contextLength / original));
  const weight = parameters.read('mscale', z.number().optional());
  const weightOfAll = parameters.read('mscale_all_dim', z.number().optional());
  const recommended =
    weight && weightOfAll
      ? yarnMagnitude(factor, weight) / yarnMagnitude(factor, weightOfAll)
      : yarnMagnitude(factor);
  return {
    kind: 'yarn',
    factor,
    originalPositions: original,
    betaFast: parameters.read('beta_fast', positive.default(32)),
    betaSlow: parameters.read('beta_slow', positive.default(1)),
    truncate: parameters.read('truncate', z.boolean().default(true)),
    magnitude: parameters.read('attention_factor', positive.default(recommended)),
  };
}

/**
 * LongRoPE has divisors for short and for long texts, and switching between them in the middle of a text would make its cached
 * keys wrong. The short ones are built, and the context ends where they do.
 */
function longRope(
  config: ConfigFields,
  parameters: ConfigFields,
  contextLength: number,
  dimensions: number,
): Scaled {
  const original = originalPositions(config, parameters, contextLength);
  const factor = parameters.read('factor', positive.default(contextLength / original));
  const magnitude = longRopeMagnitude(factor, original);
  return {
    scaling: {
      kind: 'divided',
      divisors: parameters.read('short_factor', z.array(positive).length(dimensions / 2)),
      magnitude: parameters.read('attention_factor', positive.default(magnitude)),
    },
    contextLength: Math.min(contextLength, original),
  };
}
