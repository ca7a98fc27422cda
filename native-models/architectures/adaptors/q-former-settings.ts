import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import { activationSchema } from './activation.ts';
import type { AdaptorRequest } from './adaptor.ts';
import { expectEncoderWidth, expectLlmWidth } from './fit.ts';
import { heardWidth } from './heard.ts';
import type { QFormerSettings } from './q-former-layers.ts';
import type { QFormerWeights } from './q-former-weights.ts';

const heads = z.number().int().min(1).max(1024).optional();

/** What recipe and configuration may say of any Q-Former, and what Hugging Face's configurations call it. */
export const qFormerFields = {
  module: z.string().min(1).optional(),
  heads,
  num_attention_heads: heads,
  qformer_config: z.object({ num_attention_heads: heads }).optional(),
  projector_config: z.object({ num_attention_heads: heads }).optional(),
  hidden_act: activationSchema.default('gelu'),
  layer_norm_eps: z.number().gt(0).max(0.1).default(1e-12),
};

type QFormerOptions = z.infer<z.ZodObject<typeof qFormerFields>>;

/** The settings that the weights do not tell. Throws `not-supported` when nothing tells the number of heads. */
export function qFormerSettings(
  options: QFormerOptions,
  { queries }: QFormerWeights,
  { kind }: AdaptorRequest,
): QFormerSettings {
  const nested = options.qformer_config ?? options.projector_config;
  const said = options.heads ?? nested?.num_attention_heads ?? options.num_attention_heads;
  return {
    heads: said ?? usualHeads(queries.shape.at(-1) ?? 0),
    activation: options.hidden_act,
    epsilon: options.layer_norm_eps,
    kind,
  };
}

/** Throws `shape-mismatch`, naming both widths, when encoder, Q-Former and LLM do not fit one another. */
export function expectFit(request: AdaptorRequest, weights: QFormerWeights): number {
  const looking = weights.layers.find(({ crossAttention }) => crossAttention !== null)?.crossAttention;
  expectEncoderWidth(looking?.key.weight.shape[1] ?? 0, heardWidth(request));
  const hidden = (weights.projection?.weight.shape[0] ?? weights.queries.shape.at(-1)) || 0;
  expectLlmWidth(hidden, request.llm);
  return hidden;
}

/** BERT's: heads of 64, twelve in all in the size that SALMONN and BLIP-2 start from. */
function usualHeads(width: number): number {
  if (width % 64 === 0) return width / 64;
  if (width % 12 === 0) return 12;
  throw new ModelError(
    'not-supported',
    `Nothing tells how many heads the Q-Former's ${width} columns are.`,
    'Say `adaptor.heads` in the recipe.',
  );
}
