import { positive } from './decoder/config-settings.ts';
import { decoderFromConfig } from './decoder/from-config.ts';
import { rotaryFromGguf, shapeFromGguf } from './decoder/gguf-settings.ts';
import { plainDecoder } from './decoder/settings.ts';
import type { LlmFamily } from './family.ts';

/**
 * Granite 3 and 4, dense: a LLaMA with four multipliers. That of the embeddings goes over every row that enters the decoder,
 * sound included: granite-speech was trained so.
 */
export const granite: LlmFamily = {
  name: 'granite',
  modelTypes: ['granite'],
  folderNames: {},
  packed: false,
  ggufPairs: true,
  normsAroundZero: false,
  fromConfig: (config) =>
    decoderFromConfig(config, { epsilon: 1e-6, contextLength: 2048, theta: 10_000 }, () => {
      const multiplier = (key: string) => config.read(key, positive.default(1));
      return {
        rowScale: multiplier('embedding_multiplier'),
        residualScale: multiplier('residual_multiplier'),
        attentionScale: multiplier('attention_multiplier'),
        logitDivisor: multiplier('logits_scaling'),
      };
    }),
  fromGguf(fields) {
    const shape = shapeFromGguf(fields);
    const multiplier = (key: string) => fields.read(key, positive.default(1));
    return plainDecoder(fields.path, shape, rotaryFromGguf(fields, shape), {
      rowScale: multiplier('embedding_scale'),
      residualScale: multiplier('residual_scale'),
      attentionScale: fields.read('attention.scale', positive.default(1 / Math.sqrt(shape.headSize))),
      logitDivisor: multiplier('logit_scale'),
    });
  },
};
