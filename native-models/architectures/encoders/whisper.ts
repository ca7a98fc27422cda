import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { knownDimension } from '../../graph/shape.ts';
import type { Target } from '../../graph/target.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import { type LinearKind, type LinearWeights, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { blockCausalBias } from './block-causal.ts';
import type { EncoderArchitecture } from './encoder.ts';
import { checked } from './settings.ts';
import { type WhisperEncoderSizes, whisperEncoderSizes } from './whisper-sizes.ts';
import { whisperSource } from './whisper-source.ts';

const blockFrames = z.number().int().min(1).max(1500);

/** What a recipe can say: encoder frames of 20 ms that are heard at once, for encoders trained to listen as one speaks. */
const optionsSchema = z.strictObject({ blockFrames: blockFrames.nullable().optional() });

/** Ultravox says it in its own config.json. */
const configSchema = z.object({ audio_latency_block_size: blockFrames.nullish() });

/** Whisper's encoder as a part of a speech LLM: from CTranslate2, transformers, openai-whisper, or inside a speech LLM's file. */
export const whisper: EncoderArchitecture = {
  name: 'whisper',
  build({ weights, config, options, kind, target }) {
    const source = whisperSource(weights, config);
    const { blockFrames } = checked(optionsSchema, options, "the recipe's encoder");
    const { audio_latency_block_size: trained } = checked(
      configSchema,
      config,
      'config.json beside the encoder',
    );
    const { mels, hidden, maxPositions } = whisperEncoderSizes(source);
    return {
      graph: whisperEncoder(
        source,
        kind,
        target,
        (blockFrames === undefined ? trained : blockFrames) ?? null,
      ),
      features: { kind: 'whisper-log-mel', sampleRate: 16000, fftSize: 400, hop: 160, mels },
      hidden,
      framesPerSecond: 50,
      maxPositions,
      unitSamples: 160,
      ctcLabels: null,
    };
  },
};

const layerNormEpsilon = 1e-5;

/**
 * Whisper's encoder (Whisper, section 2.2): two convolutions, sinusoidal positions, pre-norm blocks.
 * `features` f32 [1, mels, frames] → `encoder` f32 [1, frames/2, hidden]. Positions are cut to the clip, so it needs no padding.
 * With `blockFrames` no frame sees what comes after its block of so many encoder frames. `source` has CTranslate2's names.
 */
export function whisperEncoder(
  source: TensorSource,
  kind: LinearKind,
  target: Target = 'cpu',
  blockFrames: number | null = null,
): Graph {
  const sizes = whisperEncoderSizes(source);
  const { mels, hidden } = sizes;
  const g = new Graph('whisper-encoder', target);
  const features = g.input('features', 'float32', [1, mels, 'frames']);
  const convolution = (x: Value, name: string, inputs: number, stride: number) => {
    const kernel = expectShape(source.tensor(`${name}/weight`), [hidden, inputs, 3]);
    const bias = expectShape(source.tensor(`${name}/bias`), [hidden]);
    const padding = [1, 1] as const;
    const weights = [
      g.weight(`${name}/weight`, floatWeight(kernel)),
      g.weight(`${name}/bias`, floatWeight(bias)),
    ] as const;
    return g.gelu(g.conv(x, ...weights, { stride, padding }));
  };
  const halved = convolution(convolution(features, 'encoder/conv1', mels, 1), 'encoder/conv2', hidden, 2);
  const frames = g.transpose(halved, [0, 2, 1]);
  const bias = blockFrames === null ? null : blockCausalBias(g, frames, blockFrames);
  let x = g.add(frames, encoderPositions(g, source, frames, sizes));
  for (let layer = 0; layer < sizes.encoderLayers; layer++)
    x = encoderBlock(g, source, x, `encoder/layer_${layer}`, { sizes, kind, bias });
  g.output('encoder', layerNorm(g, source, x, 'encoder/layer_norm'), [1, 'frames/2', hidden]);
  return g;
}

function encoderPositions(
  g: Graph,
  source: TensorSource,
  frames: Value,
  { maxPositions, hidden }: WhisperEncoderSizes,
): Value {
  const name = 'encoder/position_encodings/encodings';
  const positions = g.weight(name, floatWeight(expectShape(source.tensor(name), [maxPositions, hidden])));
  const length = frames.shape[1] ?? 1;
  return g.sliceAt(positions, 0, g.int64s([0]), g.shapeOf(frames, 1, 2), length);
}

function encoderBlock(
  g: Graph,
  source: TensorSource,
  x: Value,
  name: string,
  given: WhisperAttention & { readonly sizes: WhisperEncoderSizes },
): Value {
  const heard = g.add(x, selfAttention(g, source, x, name, given.sizes.heads, given));
  return feedForward(g, source, heard, `${name}/ffn`, given.kind);
}

export interface WhisperAttention {
  readonly kind: LinearKind;
  /** Added to the scores: what may not be seen is far below zero. */
  readonly bias: Value | null;
}

/** Of x [1, S, hidden] over itself after its norm, without x. */
export function selfAttention(
  g: Graph,
  source: TensorSource,
  x: Value,
  name: string,
  heads: number,
  { kind, bias }: WhisperAttention,
): Value {
  const hidden = knownDimension(x.shape, -1, 'Whisper');
  const normed = layerNorm(g, source, x, `${name}/self_attention/layer_norm`);
  const qkv = linear(g, normed, layerWeights(source, `${name}/self_attention/linear_0`), kind);
  const [query, key, value] = g.split(qkv, [hidden, hidden, hidden], 2);
  const attended = g.multiHeadAttention(query, key, value, heads, bias === null ? {} : { bias });
  return linear(g, attended, layerWeights(source, `${name}/self_attention/linear_1`), kind);
}

/** `x + W₂ · gelu(W₁ · norm(x))`, the second half of encoder and decoder blocks alike. */
export function feedForward(g: Graph, source: TensorSource, x: Value, name: string, kind: LinearKind): Value {
  const normed = layerNorm(g, source, x, `${name}/layer_norm`);
  const wide = g.gelu(linear(g, normed, layerWeights(source, `${name}/linear_0`), kind));
  return g.add(x, linear(g, wide, layerWeights(source, `${name}/linear_1`), kind));
}

export function layerNorm(g: Graph, source: TensorSource, x: Value, name: string): Value {
  const width = [knownDimension(x.shape, -1, 'Whisper')];
  const vector = (part: string) => {
    const tensor = expectShape(source.tensor(`${name}/${part}`), width);
    return g.weight(`${name}/${part}`, floatWeight(tensor));
  };
  return g.layerNormalization(x, vector('gamma'), vector('beta'), layerNormEpsilon);
}

/** Weight and bias of a linear layer: every one of a Whisper has both, under these names. */
export function layerWeights(source: TensorSource, name: string): LinearWeights {
  const weight = source.tensor(`${name}/weight`);
  return { weight, bias: expectShape(source.tensor(`${name}/bias`), weight.shape.slice(0, 1)) };
}
