import { decoderFromConfig } from './decoder/from-config.ts';
import { rotaryFromGguf, shapeFromGguf } from './decoder/gguf-settings.ts';
import { plainDecoder } from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/** LLaMA 1 to 3 (Touvron et al. 2023), and what is built alike: SmolLM2, TinyLlama, Vicuna, Yi. */
export const llama: LlmFamily = {
  name: 'llama',
  modelTypes: ['llama'],
  folderNames: {},
  packed: false,
  ggufPairs: true,
  normsAroundZero: false,
  fromConfig(config) {
    // Mistral's, of which recipes may say that it is a llama: its later models have none.
    config.allowOnly('sliding_window', []);
    return decoderFromConfig(config, { epsilon: 1e-6, contextLength: 2048, theta: 10_000 });
  },
  fromGguf(fields) {
    const shape = shapeFromGguf(fields);
    return plainDecoder(fields.path, shape, rotaryFromGguf(fields, shape));
  },
};
