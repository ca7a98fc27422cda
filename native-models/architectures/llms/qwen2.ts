import { decoderFromConfig } from './decoder/from-config.ts';
import { rotaryFromGguf, shapeFromGguf } from './decoder/gguf-settings.ts';
import { qwenAttention } from './decoder/layer-attention.ts';
import { plainDecoder } from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/** Qwen 2 and 2.5: queries, keys and values with biases. */
export const qwen2: LlmFamily = {
  name: 'qwen2',
  modelTypes: ['qwen2'],
  folderNames: {},
  packed: false,
  ggufPairs: false,
  normsAroundZero: false,
  fromConfig: (config) =>
    decoderFromConfig(
      config,
      { epsilon: 1e-6, contextLength: 32_768, theta: 10_000, kvHeads: 32 },
      (shape, rotary) => ({ attention: qwenAttention(config, shape, rotary) }),
    ),
  fromGguf(fields) {
    const shape = shapeFromGguf(fields);
    return plainDecoder(fields.path, shape, rotaryFromGguf(fields, shape));
  },
};
