import { decoderFromConfig } from './decoder/from-config.ts';
import { rotaryFromGguf, shapeFromGguf } from './decoder/gguf-settings.ts';
import { qwenAttention } from './decoder/layer-attention.ts';
import { plainDecoder } from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/** Qwen 3, dense: queries and keys normed head by head, no biases, heads wider than their share of the hidden size. */
export const qwen3: LlmFamily = {
  name: 'qwen3',
  modelTypes: ['qwen3'],
  folderNames: {},
  packed: false,
  ggufPairs: false,
  normsAroundZero: false,
  fromConfig: (config) =>
    decoderFromConfig(
      config,
      { epsilon: 1e-6, contextLength: 32_768, theta: 10_000, kvHeads: 32, headSize: 128 },
      (shape, rotary) => ({ headNorms: true, attention: qwenAttention(config, shape, rotary) }),
    ),
  fromGguf(fields) {
    const shape = shapeFromGguf(fields);
    return plainDecoder(fields.path, shape, rotaryFromGguf(fields, shape), { headNorms: true });
  },
};
