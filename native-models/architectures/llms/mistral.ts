import { count } from './decoder/config-settings.ts';
import { decoderFromConfig } from './decoder/from-config.ts';
import { rotaryFromGguf, shapeFromGguf } from './decoder/gguf-settings.ts';
import { allAlike } from './decoder/layer-attention.ts';
import { plainDecoder } from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/** Mistral (Jiang et al. 2023): a LLaMA whose first version looks back through a window in every layer. GGUF files of it say llama. */
export const mistral: LlmFamily = {
  name: 'mistral',
  modelTypes: ['mistral'],
  folderNames: {},
  packed: false,
  ggufPairs: true,
  normsAroundZero: false,
  fromConfig: (config) =>
    decoderFromConfig(
      config,
      { epsilon: 1e-6, contextLength: 131_072, theta: 10_000, kvHeads: 8 },
      (shape, rotary) => {
        const window = config.read('sliding_window', count(Number.MAX_SAFE_INTEGER).nullable().default(null));
        return { attention: allAlike(shape, rotary, window) };
      },
    ),
  fromGguf(fields) {
    const shape = shapeFromGguf(fields);
    return plainDecoder(fields.path, shape, rotaryFromGguf(fields, shape));
  },
};
