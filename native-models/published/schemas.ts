import { z } from 'zod';

const size = z.number().int().positive().max(1e7);
const token = z.number().int().max(1e7);

/** Kinds of weights that files of this layout have, by the names that transformers.js gives them. */
export const dtypeSchema = z.enum(['fp32', 'fp16', 'int8', 'uint8', 'q8', 'q4', 'q4f16', 'bnb4']);
export type Dtype = z.infer<typeof dtypeSchema>;

/** One kind for all graphs, or one for each; `auto` and kinds that are not known here leave the choice open. */
const dtypeChoiceSchema = z.union([z.string(), z.record(z.string(), z.string())]);

const externalDataSchema = z.union([
  z.boolean(),
  z.number().int().min(0).max(100),
  z.record(z.string(), z.union([z.boolean(), z.number().int().min(0).max(100)])),
]);

const runtimeSchema = z.object({
  dtype: dtypeChoiceSchema.optional(),
  device_config: z.record(z.string(), z.object({ dtype: dtypeChoiceSchema.optional() })).optional(),
  use_external_data_format: externalDataSchema.optional(),
});
export type RuntimeConfig = z.infer<typeof runtimeSchema>;

/** What the graphs do not say of the LLM. Fields that have their class's default are left out of such files. */
const textConfigSchema = z.object({
  model_type: z.string().optional(),
  vocab_size: size.optional(),
  num_attention_heads: size.optional(),
  max_position_embeddings: size.optional(),
  bos_token_id: token.nullish(),
  eos_token_id: z.union([token, z.array(token).max(64)]).nullish(),
});

/** config.json: what every family shares, and what the families say of their sound. */
export const configSchema = z.object({
  model_type: z.string(),
  text_config: textConfigSchema.default({}),
  audio_config: z
    .object({
      max_source_positions: size.optional(),
      hidden_size: size.optional(),
      d_model: size.optional(),
      intermediate_size: size.optional(),
      encoder_ffn_dim: size.optional(),
    })
    .optional(),
  ignore_index: token.optional(),
  audio_token_id: token.optional(),
  audio_token_index: token.optional(),
  audio_soft_tokens_per_image: size.optional(),
  stack_factor: size.optional(),
  'transformers.js_config': runtimeSchema.optional(),
});
export type PublishedConfig = z.infer<typeof configSchema>;

/** preprocessor_config.json; Granite Speech keeps its spectrum's settings one level down. */
export const preprocessorSchema = z.object({
  processor_class: z.string().optional(),
  feature_size: size.optional(),
  sampling_rate: z.literal(16000).optional(),
  hop_length: z.literal(160).optional(),
  n_fft: z.union([z.literal(400), z.literal(512)]).optional(),
  n_samples: size.optional(),
  encoder_ds_factor: size.optional(),
  stack_factor: size.optional(),
  melspec_kwargs: z
    .object({
      n_fft: z.literal(512).optional(),
      win_length: z.literal(400).optional(),
      hop_length: z.literal(160).optional(),
      n_mels: size.max(256).optional(),
      sample_rate: z.literal(16000).optional(),
    })
    .optional(),
  projector_window_size: size.optional(),
  projector_downsample_rate: size.optional(),
  preemphasis: z.number().min(0).max(1).optional(),
  min_frequency: z.number().optional(),
  max_frequency: z.number().optional(),
  mel_floor: z.number().positive().optional(),
  frame_length: z.literal(512).optional(),
  fft_length: z.literal(1024).optional(),
});
export type PreprocessorConfig = z.infer<typeof preprocessorSchema>;

/** processor_config.json, where a family has one. */
export const processorSchema = z.object({
  audio_seq_length: size.optional(),
  encoder_ds_factor: size.optional(),
  stack_factor: size.optional(),
});
export type ProcessorConfig = z.infer<typeof processorSchema>;

const namedTokenSchema = z.union([z.string(), z.object({ content: z.string() })]);

/** tokenizer_config.json. */
export const tokenizerConfigSchema = z.object({
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .optional(),
  bos_token: namedTokenSchema.optional(),
  boa_token: namedTokenSchema.nullish(),
  eoa_token: namedTokenSchema.nullish(),
});
export type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;

/** tokenizer.json, as far as it names tokens of its own. */
export const addedTokensSchema = z.object({
  added_tokens: z.array(z.object({ id: token, content: z.string() })).default([]),
});

/** generation_config.json. */
export const generationConfigSchema = z.object({
  bos_token_id: token.nullish(),
  eos_token_id: z.union([token, z.array(token).max(64)]).nullish(),
  do_sample: z.boolean().nullish(),
  temperature: z.number().min(0).max(10).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  repetition_penalty: z.number().min(1).max(10).nullish(),
  max_new_tokens: size.nullish(),
});
export type GenerationConfig = z.infer<typeof generationConfigSchema>;
