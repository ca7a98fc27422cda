import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { countModules } from './modules.ts';
import { RenamedWhisper } from './whisper-names.ts';

/** Sizes of a Whisper's encoder, read off its weights. */
export interface WhisperEncoderSizes {
  readonly mels: 80 | 128;
  readonly hidden: number;
  readonly heads: number;
  readonly headSize: number;
  readonly encoderLayers: number;
  /** Encoder positions of 20 ms. */
  readonly maxPositions: number;
}

/** Of encoder and decoder. */
export interface WhisperSizes extends WhisperEncoderSizes {
  readonly decoderLayers: number;
  readonly vocabulary: number;
  readonly maxTokens: number;
}

/** Of every published Whisper; a file may say otherwise. */
const usualHeadSize = 64;

/** Sizes of an encoder under CTranslate2's names. Throws `not-supported` or `tensor-missing` when it is something else. */
export function whisperEncoderSizes(source: TensorSource): WhisperEncoderSizes {
  const [hidden = 0, mels = 0] = source.tensor('encoder/conv1/weight').shape;
  const [maxPositions = 0] = source.tensor('encoder/position_encodings/encodings').shape;
  const heads = source.has('encoder/num_heads')
    ? (source.tensor('encoder/num_heads').float32()[0] ?? 0)
    : hidden / usualHeadSize;
  const whole = Number.isInteger(heads) && heads >= 1 && hidden % heads === 0;
  const encoderLayers = countLayers(source, 'encoder');
  if ((mels !== 80 && mels !== 128) || !whole || encoderLayers === 0)
    throw new ModelError(
      'not-supported',
      `A Whisper of ${mels} mel bands, width ${hidden}, ${heads} heads and ${encoderLayers} layers is not known.`,
      'Use one of the published sizes, tiny to large-v3; config.json beside the weights tells the number of heads.',
    );
  return { mels, hidden, heads, headSize: hidden / heads, encoderLayers, maxPositions };
}

/** The same with the decoder's. */
export function whisperSizes(source: TensorSource): WhisperSizes {
  const [vocabulary = 0] = source.tensor('decoder/embeddings/weight').shape;
  const [maxTokens = 0] = source.tensor('decoder/position_encodings/encodings').shape;
  const decoderLayers = countLayers(source, 'decoder');
  return { ...whisperEncoderSizes(source), decoderLayers, vocabulary, maxTokens };
}

function countLayers(source: TensorSource, side: 'encoder' | 'decoder'): number {
  if (source instanceof RenamedWhisper) return source.layerCount(side);
  return countModules(source.names(), `${side}/layer_`);
}
