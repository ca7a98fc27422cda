import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { type LinearKind, type LinearWeights, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import type { EncoderArchitecture } from './encoder.ts';

/** Sizes of a Whisper model, read off its weights. */
export interface WhisperSizes {
  readonly mels: 80 | 128;
  readonly hidden: number;
  readonly heads: number;
  readonly headSize: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  /** Encoder positions of 20 ms. */
  readonly maxPositions: number;
  readonly vocabulary: number;
  readonly maxTokens: number;
}

/** Whisper's encoder as a part of a speech LLM. */
export const whisper: EncoderArchitecture = {
  name: 'whisper',
  build({ weights, kind }) {
    const { mels, hidden, maxPositions } = whisperSizes(weights);
    return {
      graph: whisperEncoder(weights, kind),
      features: { kind: 'whisper-log-mel', sampleRate: 16000, fftSize: 400, hop: 160, mels },
      hidden,
      framesPerSecond: 50,
      maxPositions,
      unitSamples: 320,
      ctcLabels: null,
    };
  },
};

const layerNormEpsilon = 1e-5;
/** Of every published Whisper; a file may say otherwise. */
const usualHeadSize = 64;

/** Reads the sizes off a CTranslate2 Whisper's tensors. Throws `not-supported` or `tensor-missing` when it is something else. */
export function whisperSizes(source: TensorSource): WhisperSizes {
  const [hidden = 0, mels = 0] = source.tensor('encoder/conv1/weight').shape;
  const [maxPositions = 0] = source.tensor('encoder/position_encodings/encodings').shape;
  const [vocabulary = 0] = source.tensor('decoder/embeddings/weight').shape;
  const [maxTokens = 0] = source.tensor('decoder/position_encodings/encodings').shape;
  const heads = source.has('encoder/num_heads')
    ? (source.tensor('encoder/num_heads').float32()[0] ?? 0)
    : hidden / usualHeadSize;
  if ((mels !== 80 && mels !== 128) || heads < 1 || hidden % heads !== 0)
    throw new ModelError(
      'not-supported',
      `A Whisper of ${mels} mel bands, width ${hidden} and ${heads} heads is not known.`,
      'Use one of the published sizes, tiny to large-v3.',
    );
  return {
    mels,
    hidden,
    heads,
    headSize: hidden / heads,
    encoderLayers: countLayers(source, 'encoder'),
    decoderLayers: countLayers(source, 'decoder'),
    maxPositions,
    vocabulary,
    maxTokens,
  };
}

function countLayers(source: TensorSource, side: string): number {
  let layers = 0;
  while (source.has(`${side}/layer_${layers}/self_attention/linear_0/weight`)) layers++;
  return layers;
}

/**
 * Whisper's encoder (Whisper, section 2.2): two convolutions, sinusoidal positions, pre-norm blocks.
 * `features` f32 [1, mels, frames] → `encoder` f32 [1, frames/2, hidden]. Positions are cut to the clip, so it needs no padding.
 */
export function whisperEncoder(source: TensorSource, kind: LinearKind): Graph {
  const sizes = whisperSizes(source);
  const g = new Graph('whisper-encoder');
  const features = g.input('features', 'float32', [1, sizes.mels, 'frames']);
  const convolution = (x: Value, name: string, stride: number) => {
    const weight = g.weight(`${name}/weight`, floatWeight(source.tensor(`${name}/weight`)));
    const bias = g.weight(`${name}/bias`, floatWeight(source.tensor(`${name}/bias`)));
    return g.gelu(g.conv(x, weight, bias, { stride, padding: [1, 1] }));
  };
  const halved = convolution(convolution(features, 'encoder/conv1', 1), 'encoder/conv2', 2);
  const frames = g.transpose(halved, [0, 2, 1]);
  let x = g.add(frames, encoderPositions(g, source, frames));
  for (let layer = 0; layer < sizes.encoderLayers; layer++)
    x = encoderBlock(g, source, x, `encoder/layer_${layer}`, sizes, kind);
  g.output('encoder', layerNorm(g, source, x, 'encoder/layer_norm'), [1, 'frames/2', sizes.hidden]);
  return g;
}

function encoderPositions(g: Graph, source: TensorSource, frames: Value): Value {
  const name = 'encoder/position_encodings/encodings';
  const positions = g.weight(name, floatWeight(source.tensor(name)));
  const length = frames.shape[1] ?? 1;
  return g.sliceAt(positions, 0, g.int64s([0]), g.shapeOf(frames, 1, 2), length);
}

function encoderBlock(
  g: Graph,
  source: TensorSource,
  x: Value,
  name: string,
  { hidden, heads }: WhisperSizes,
  kind: LinearKind,
): Value {
  const normed = layerNorm(g, source, x, `${name}/self_attention/layer_norm`);
  const qkv = linear(g, normed, layerWeights(source, `${name}/self_attention/linear_0`), kind);
  const [query, key, value] = g.split(qkv, [hidden, hidden, hidden], 2);
  if (query === undefined || key === undefined || value === undefined) throw new Error('split gives three');
  const attended = g.multiHeadAttention(query, key, value, heads);
  const heard = g.add(x, linear(g, attended, layerWeights(source, `${name}/self_attention/linear_1`), kind));
  return feedForward(g, source, heard, `${name}/ffn`, kind);
}

/** `x + W₂ · gelu(W₁ · norm(x))`, the second half of encoder and decoder blocks alike. */
export function feedForward(g: Graph, source: TensorSource, x: Value, name: string, kind: LinearKind): Value {
  const normed = layerNorm(g, source, x, `${name}/layer_norm`);
  const wide = g.gelu(linear(g, normed, layerWeights(source, `${name}/linear_0`), kind));
  return g.add(x, linear(g, wide, layerWeights(source, `${name}/linear_1`), kind));
}

export function layerNorm(g: Graph, source: TensorSource, x: Value, name: string): Value {
  const gamma = g.weight(`${name}/gamma`, floatWeight(source.tensor(`${name}/gamma`)));
  const beta = g.weight(`${name}/beta`, floatWeight(source.tensor(`${name}/beta`)));
  return g.layerNormalization(x, gamma, beta, layerNormEpsilon);
}

/** Weight and, where the file has one, bias of a linear layer. */
export function layerWeights(
  source: TensorSource,
  name: string,
  rows?: { first: number; count: number },
): LinearWeights {
  const bias = source.has(`${name}/bias`) ? source.tensor(`${name}/bias`) : null;
  const weight = source.tensor(`${name}/weight`);
  return rows === undefined ? { weight, bias } : { weight, bias, rows };
}
