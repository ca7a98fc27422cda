import type { TensorSource } from '../../formats/tensor-source.ts';
import { HuggingFaceWhisper, isHuggingFaceWhisper } from './whisper-hugging-face.ts';
import { isOpenAiWhisper, openAiWhisper } from './whisper-openai.ts';

/**
 * A Whisper's tensors under CTranslate2's names, whoever saved them: CTranslate2, transformers (also as a part of a speech LLM)
 * or openai-whisper. `config` is the file or the settings beside the weights. Throws `file-invalid` when it is another model's.
 */
export function whisperSource(weights: TensorSource, config: object): TensorSource {
  if (weights.has('encoder/conv1/weight')) return weights;
  if (isOpenAiWhisper(weights)) return openAiWhisper(weights, config);
  return isHuggingFaceWhisper(weights) ? new HuggingFaceWhisper(weights, config) : weights;
}
