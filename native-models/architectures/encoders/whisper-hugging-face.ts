import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { prefixesOf } from './modules.ts';
import { checked } from './settings.ts';
import { RenamedWhisper, type WhisperNaming } from './whisper-names.ts';

const beside = 'config.json beside the Whisper';
const heads = z.number().int().min(1).max(1024);

/** Of config.json, or of its `audio_config` where the Whisper is a part of a speech LLM. */
const encoderSchema = z.object({
  encoder_attention_heads: heads.optional(),
  decoder_attention_heads: heads.optional(),
  /** As Voxtral calls the encoder's. */
  num_attention_heads: heads.optional(),
  activation_function: z.literal('gelu').optional(),
  scale_embedding: z.literal(false).optional(),
});

const configSchema = z.object({
  audio_config: encoderSchema.optional(),
  suppress_tokens: z.array(z.number().int()).nullish(),
  begin_suppress_tokens: z.array(z.number().int()).nullish(),
});

/** Whether tensors are named as transformers names a Whisper's, whatever stands before the names. */
export function isHuggingFaceWhisper(tensors: TensorSource): boolean {
  return encoderPrefix(tensors) !== null;
}

/**
 * What stands before the encoder's names: `model.encoder.` in a whole Whisper, and whatever a speech LLM calls its own
 * (`audio_tower.`, `speech_encoder.`).
 */
function encoderPrefix(tensors: TensorSource): string | null {
  const found = prefixesOf(tensors, 'layers.0.self_attn.q_proj.weight');
  return found.find((prefix) => tensors.has(`${prefix}conv1.weight`)) ?? null;
}

/** A Whisper saved by transformers, alone or inside a speech LLM, under CTranslate2's names. */
export class HuggingFaceWhisper extends RenamedWhisper {
  /** The fields of CTranslate2's config.json. */
  readonly config: { readonly suppress_ids: number[]; readonly suppress_ids_begin: number[] };

  /** `config` is config.json, with generation_config.json over it where there is one. Throws `file-invalid`. */
  constructor(tensors: TensorSource, config: unknown) {
    const whole = checked(configSchema, config, beside);
    const encoder = whole.audio_config ?? checked(encoderSchema, config, beside);
    const encoderHeads = encoder.encoder_attention_heads ?? encoder.num_attention_heads ?? null;
    const decoderHeads = encoder.decoder_attention_heads ?? encoderHeads;
    if (encoderHeads !== decoderHeads)
      throw new ModelError(
        'not-supported',
        `config.json beside the weights gives the encoder ${encoderHeads} heads and the decoder ${decoderHeads}.`,
        'Use one of the published sizes, tiny to large-v3.',
      );
    super(tensors, namingOf(encoderPrefix(tensors) ?? ''), encoderHeads);
    this.config = {
      suppress_ids: whole.suppress_tokens ?? [],
      suppress_ids_begin: whole.begin_suppress_tokens ?? [],
    };
  }
}

function namingOf(encoder: string): WhisperNaming {
  const outer = {
    conv1: 'conv1',
    conv2: 'conv2',
    position_encodings: 'embed_positions',
    embeddings: 'embed_tokens',
    layer_norm: 'layer_norm',
  };
  return {
    encoder,
    decoder: encoder.replace(/encoder\.$/, 'decoder.'),
    layers: 'layers',
    outer: { encoder: outer, decoder: outer },
    inner: {
      'self_attention/layer_norm': ['self_attn_layer_norm'],
      'self_attention/linear_0': ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
      'self_attention/linear_1': ['self_attn.out_proj'],
      'attention/layer_norm': ['encoder_attn_layer_norm'],
      'attention/linear_0': ['encoder_attn.q_proj'],
      'attention/linear_1': ['encoder_attn.k_proj', 'encoder_attn.v_proj'],
      'attention/linear_2': ['encoder_attn.out_proj'],
      'ffn/layer_norm': ['final_layer_norm'],
      'ffn/linear_0': ['fc1'],
      'ffn/linear_1': ['fc2'],
    },
  };
}
