import { z } from 'zod';
import { count, windowedLayers } from './decoder/config-settings.ts';
import { decoderFromConfig } from './decoder/from-config.ts';
import { rotaryFromGguf, shapeFromGguf } from './decoder/gguf-settings.ts';
import { ofTwoKinds } from './decoder/layer-attention.ts';
import { type LayerAttention, plainDecoder, windowWithin } from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/** Which layers have no positions at all: every fourth, unless config.json says otherwise. GGUF files cannot. */
const interval = 4;

/** SmolLM3: a LLaMA of which every fourth layer knows no positions (NoPE). */
export const smollm3: LlmFamily = {
  name: 'smollm3',
  modelTypes: ['smollm3'],
  folderNames: {},
  packed: false,
  ggufPairs: true,
  normsAroundZero: false,
  fromConfig: (config) =>
    decoderFromConfig(
      config,
      { epsilon: 1e-6, contextLength: 32_768, theta: 2_000_000, heads: 16, kvHeads: 4 },
      ({ layers, contextLength }, rotary) => {
        const every = config.read('no_rope_layer_interval', count(512).default(interval));
        const rotated = config.read(
          'no_rope_layers',
          z.array(z.number()).default(Array.from({ length: layers }, (_, layer) => (layer + 1) % every)),
        );
        const used = config.read('use_sliding_window', z.boolean().default(false));
        const positions = config.read('sliding_window', count(Number.MAX_SAFE_INTEGER).optional());
        const window = windowWithin((used ? positions : null) ?? null, contextLength);
        const windowed = windowedLayers(config, layers, (layer) => window !== null && !rotated[layer]);
        return {
          attention: windowed.map(
            (isNear, layer): LayerAttention => ({
              rotary: rotated[layer] ? rotary : null,
              window: isNear ? window : null,
            }),
          ),
        };
      },
    ),
  fromGguf(fields) {
    const shape = shapeFromGguf(fields);
    const rotary = rotaryFromGguf(fields, shape);
    const [rotated, unrotated] = [
      { rotary, window: null },
      { rotary: null, window: null },
    ];
    const isLast = (layer: number) => (layer + 1) % interval === 0;
    const attention = ofTwoKinds(shape.layers, rotated, unrotated, isLast);
    return plainDecoder(fields.path, shape, rotary, { attention });
  },
};
