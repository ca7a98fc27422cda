import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { prefixesOf } from './modules.ts';
import { checked } from './settings.ts';
import { RenamedWhisper, type WhisperNaming } from './whisper-names.ts';

/** `dims` of the checkpoint: whisper.model.ModelDimensions. */
const settingsSchema = z.object({
  dims: z.object({ n_audio_head: z.number().int().min(1).max(1024) }).optional(),
});

/** Whether tensors are named as openai-whisper names them. */
export function isOpenAiWhisper(tensors: TensorSource): boolean {
  return encoderPrefix(tensors) !== null;
}

function encoderPrefix(tensors: TensorSource): string | null {
  const [before] = prefixesOf(tensors, 'encoder.blocks.0.attn.query.weight');
  return before === undefined ? null : `${before}encoder.`;
}

/** A checkpoint of openai-whisper (`{dims, model_state_dict}`) under CTranslate2's names. Throws `file-invalid`. */
export function openAiWhisper(tensors: TensorSource, settings: object): TensorSource {
  const { dims } = checked(settingsSchema, settings, 'The checkpoint of Whisper');
  const heads = dims?.n_audio_head ?? null;
  return new RenamedWhisper(tensors, namingOf(encoderPrefix(tensors) ?? 'encoder.'), heads);
}

function namingOf(encoder: string): WhisperNaming {
  const outer = { conv1: 'conv1', conv2: 'conv2', position_encodings: 'positional_embedding' };
  return {
    encoder,
    decoder: encoder.replace(/encoder\.$/, 'decoder.'),
    layers: 'blocks',
    outer: {
      encoder: { ...outer, layer_norm: 'ln_post' },
      decoder: { ...outer, layer_norm: 'ln', embeddings: 'token_embedding' },
    },
    bare: 'positional_embedding',
    inner: {
      'self_attention/layer_norm': ['attn_ln'],
      'self_attention/linear_0': ['attn.query', 'attn.key', 'attn.value'],
      'self_attention/linear_1': ['attn.out'],
      'attention/layer_norm': ['cross_attn_ln'],
      'attention/linear_0': ['cross_attn.query'],
      'attention/linear_1': ['cross_attn.key', 'cross_attn.value'],
      'attention/linear_2': ['cross_attn.out'],
      'ffn/layer_norm': ['mlp_ln'],
      'ffn/linear_0': ['mlp.0'],
      'ffn/linear_1': ['mlp.2'],
    },
  };
}
