import { z } from 'zod';
import type { ConfigFields } from '../../formats/config-fields.ts';
import type { RotarySettings } from '../../layers/rotary.ts';
import { plainRotary } from '../../layers/rotary.ts';
import { type ConfigRotary, rotaryFromConfig, rotaryFromParameters } from './decoder/config-rotary.ts';
import {
  activationFromConfig,
  count,
  positive,
  shapeFromConfig,
  windowedLayers,
} from './decoder/config-settings.ts';
import { rotaryFromGguf, shapeFromGguf } from './decoder/gguf-settings.ts';
import { ofTwoKinds } from './decoder/layer-attention.ts';
import {
  type DecoderSettings,
  type DecoderShape,
  type LayerAttention,
  plainDecoder,
  windowWithin,
} from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/** Five layers that look back through a window, then one that sees everything. */
const period = 6;
const theta = { everywhere: 1_000_000, near: 10_000 } as const;

/**
 * The text part of Gemma 3: normed queries and keys, norms before and after each block, scaled token rows, GeGLU, and layers that
 * look back through a window, with rotary positions of their own.
 */
export const gemma3: LlmFamily = {
  name: 'gemma3',
  modelTypes: ['gemma3_text', 'gemma3'],
  folderNames: {
    feedForward: 'pre_feedforward_layernorm',
    afterAttention: 'post_attention_layernorm',
    afterFeedForward: 'post_feedforward_layernorm',
  },
  packed: false,
  ggufPairs: false,
  normsAroundZero: true,
  fromConfig(config) {
    config.allowOnly('attn_logit_softcapping', []);
    config.allowOnly('use_bidirectional_attention', [false]);
    const read = shapeFromConfig(config, {
      ...{ epsilon: 1e-6, contextLength: 131_072, heads: 8, kvHeads: 4, headSize: 256 },
    });
    const { everywhere, near } = rotaryOfBoth(config, read);
    const shape = { ...read, contextLength: everywhere.contextLength };
    const window = config.read('sliding_window', count(Number.MAX_SAFE_INTEGER).default(4096));
    const every = config.read('sliding_window_pattern', count(512).default(period));
    const windowed = windowedLayers(config, shape.layers, (layer) => (layer + 1) % every !== 0);
    return plainDecoder(config.path, shape, everywhere.rotary, {
      ...ownWays(shape),
      activation: activationFromConfig(config, 'hidden_activation', 'gelu_pytorch_tanh'),
      attention: layersOf(shape, everywhere.rotary, near.rotary, window, (layer) => windowed[layer] === true),
      attentionScale: 1 / Math.sqrt(config.read('query_pre_attn_scalar', positive.default(256))),
      logitSoftcap: config.read('final_logit_softcapping', positive.nullable().default(null)),
      tied: config.read('tie_word_embeddings', z.boolean().optional()) ?? null,
    });
  },
  fromGguf(fields) {
    const shape = shapeFromGguf(fields);
    const everywhere = rotaryFromGguf(fields, shape, theta.everywhere);
    const near = plainRotary(
      everywhere.dimensions,
      fields.read('rope.freq_base_swa', positive.default(theta.near)),
    );
    const window = fields.read('attention.sliding_window', count(Number.MAX_SAFE_INTEGER));
    const every = fields.read('attention.sliding_window_pattern', count(512).default(period));
    return plainDecoder(fields.path, shape, everywhere, {
      ...ownWays(shape),
      attention: layersOf(shape, everywhere, near, window, (layer) => (layer + 1) % every !== 0),
      attentionScale: scaleBySize(shape),
      logitSoftcap: fields.read('final_logit_softcapping', positive.nullable().default(null)),
    });
  },
};

function ownWays({ hidden }: DecoderShape): Partial<DecoderSettings> {
  return {
    activation: 'gelu-tanh',
    headNorms: true,
    sandwichNorms: true,
    tokenScale: Math.fround(Math.sqrt(hidden)),
  };
}

/** GGUF files do not carry the scale: of the published sizes only that of 62 layers has another than its head size gives. */
function scaleBySize({ layers, hidden, heads, headSize }: DecoderShape): number {
  return 1 / Math.sqrt(layers === 62 ? hidden / heads : headSize);
}

const nearKey = 'rope_local_base_freq';

function rotaryOfBoth(
  config: ConfigFields,
  shape: DecoderShape,
): { everywhere: ConfigRotary; near: ConfigRotary } {
  const both = config.part('rope_parameters');
  if (both?.has('full_attention') || both?.has('sliding_attention'))
    return {
      everywhere: rotaryFromParameters(config, both.part('full_attention'), shape, theta.everywhere),
      near: rotaryFromParameters(config, both.part('sliding_attention'), shape, theta.near, nearKey),
    };
  const nearTheta = config.read(nearKey, positive.default(theta.near));
  return {
    everywhere: rotaryFromConfig(config, shape, theta.everywhere),
    near: { rotary: plainRotary(shape.headSize, nearTheta), contextLength: shape.contextLength },
  };
}

function layersOf(
  shape: DecoderShape,
  everywhere: RotarySettings,
  near: RotarySettings,
  window: number,
  isNear: (layer: number) => boolean,
): LayerAttention[] {
  return ofTwoKinds(
    shape.layers,
    { rotary: everywhere, window: null },
    { rotary: near, window: windowWithin(window, shape.contextLength) },
    isNear,
  );
}
