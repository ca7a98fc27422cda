import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { HuggingFaceWhisper, isHuggingFaceWhisper } from './whisper-hugging-face.ts';
import { isOpenAiWhisper, openAiWhisper } from './whisper-openai.ts';

/**
 * A Whisper's tensors under CTranslate2's names, whoever saved them: CTranslate2, transformers (also as a part of a speech LLM)
 * or openai-whisper. `config` is the file or the settings beside the weights. Throws `file-invalid` or
 * `not-supported` when it is another model's.
 */
export function whisperSource(weights: TensorSource, config: object): TensorSource {
  if (weights.has('encoder/position_encodings/encodings')) return weights;
  if (isOpenAiWhisper(weights)) return openAiWhisper(weights, config);
  if (isHuggingFaceWhisper(weights)) return new HuggingFaceWhisper(weights, config);
  throw new ModelError(
    'not-supported',
    "The encoder's weights are those of no Whisper: neither CTranslate2, transformers nor openai-whisper names them so.",
    'Check `from` and `architecture` in the recipe.',
  );
}
