import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { shapeMismatch } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import { type ConformerNaming, conformerBlock } from './conformer-block.ts';
import { ctcLabels } from './ctc-labels.ts';
import type { BuiltEncoder, EncoderArchitecture, EncoderRequest } from './encoder.ts';
import { featureOverrides, featuresOf, soundFrames } from './feature-overrides.ts';
import { countModules, inside, linearLayer, prefixesOf } from './modules.ts';
import { distanceWaves, relativeAttention } from './relative-attention.ts';
import { checked, refuseOptions } from './settings.ts';
import { subsample } from './subsampling.ts';

/** ParakeetEncoderConfig of transformers, as far as the weights do not tell. */
const encoderSchema = z.object({
  num_mel_bins: z.number().int().min(1).max(256).default(80),
  scale_input: z.boolean().default(true),
  /** Left out, the first layer's tensors tell. */
  attention_bias: z.boolean().optional(),
  convolution_bias: z.boolean().optional(),
  num_hidden_layers: z.number().int().min(1).max(1024).optional(),
  subsampling_factor: z
    .number()
    .int()
    .refine((factor) => [2, 4, 8, 16].includes(factor), 'is 2, 4, 8 or 16')
    .default(8),
  hidden_act: z.literal('silu').default('silu'),
  subsampling_conv_stride: z.literal(2).default(2),
});

/** The same inside ParakeetCTCConfig, and of those with a transducer, whose encoders are alike. */
const configSchema = z.object({
  encoder_config: encoderSchema.optional(),
  /** Where the encoder was trained on others than NeMo's. */
  features: featureOverrides.optional(),
});

const firstConvolution = 'subsampling.layers.0.weight';
const firstQuery = 'layers.0.self_attn.relative_k_proj.weight';
const beside = 'config.json beside the encoder';

/**
 * FastConformer as transformers keeps it (ParakeetForCTC, ParakeetEncoder; Rekesh et al. 2023): 8-fold convolutional subsampling,
 * Conformer blocks with relative positions, and the CTC head where the file has one.
 */
export const parakeet: EncoderArchitecture = {
  name: 'parakeet',
  build(request) {
    if (isParakeet(request.weights)) return buildParakeet(request);
    throw new ModelError(
      'tensor-missing',
      `The encoder's weights have no ${firstConvolution}.`,
      'Give the file of a Parakeet as transformers saves it.',
    );
  },
};

/** Whether tensors are named as transformers names a Parakeet's, whatever stands before the names. */
export function isParakeet(weights: TensorSource): boolean {
  return encoderPrefix(weights) !== undefined;
}

function encoderPrefix(weights: TensorSource): string | undefined {
  return prefixesOf(weights, firstConvolution).find((prefix) => weights.has(prefix + firstQuery));
}

/** Throws `ModelError`, naming the tensor or the field that does not fit. */
export function buildParakeet(request: EncoderRequest): BuiltEncoder {
  const { weights, config, kind, target, tokenizer } = request;
  refuseOptions(request.options);
  const prefix = encoderPrefix(weights) ?? '';
  const source = inside(weights, prefix);
  const whole = checked(configSchema, config, beside);
  const settings = whole.encoder_config ?? checked(encoderSchema, config, beside);
  const mels = settings.num_mel_bins;
  const g = new Graph('parakeet-encoder', target);
  const features = featuresOf(whole.features, { kind: 'nemo-log-mel', sampleRate: 16000, mels });
  const sound = soundFrames(g, g.input('features', 'float32', [1, mels, 'frames']), features);
  const factor = settings.subsampling_factor;
  const convolutions = convolutionsOf(factor);
  const subsampled = subsample(g, sound, { source, convolutions, linear: 'subsampling.linear', kind });
  const hidden = Number(subsampled.shape[2]);
  const scale = Math.fround(Math.sqrt(hidden));
  const scaled = settings.scale_input ? g.mul(subsampled, g.constant('float32', [], [scale])) : subsampled;
  const x = blocks(g, source, scaled, settings, kind);
  g.output('encoder', x, [1, `frames/${factor}`, hidden]);
  const labels = ctcHead(g, inside(weights, prefix.replace(/encoder\.$/, '')), x, factor);
  return {
    graph: g,
    features,
    hidden,
    framesPerSecond: 100 / factor,
    maxPositions: null,
    // Silence behind a clip would change what its bands are normalised by.
    unitSamples: 1,
    ctcLabels: ctcLabels(tokenizer, labels),
  };
}

/** All Conformer blocks over x [1, S, hidden]. */
function blocks(
  g: Graph,
  source: TensorSource,
  frames: Value,
  settings: z.infer<typeof encoderSchema>,
  kind: EncoderRequest['kind'],
): Value {
  const waves = distanceWaves(g, frames, Number(frames.shape[2]));
  const layers = countModules(source.names(), 'layers.');
  if (layers !== (settings.num_hidden_layers ?? layers))
    throw shapeMismatch(`config.json says ${settings.num_hidden_layers} layers, the weights hold ${layers}`);
  const biased = {
    feedForward: settings.attention_bias ?? source.has('layers.0.self_attn.q_proj.bias'),
    convolution: settings.convolution_bias ?? source.has('layers.0.conv.pointwise_conv1.bias'),
  };
  let x = frames;
  for (let layer = 0; layer < layers; layer++) {
    const module = inside(source, `layers.${layer}.`);
    const attend = (normed: Value) =>
      attention(g, { source: module, normed, waves, kind, biased: biased.feedForward });
    x = conformerBlock(g, x, { source: module, naming, kind, convolutionFirst: false, biased, attend });
  }
  return x;
}

/** The list of layers: a convolution and its ReLU, then, as often as frames are halved once more, a pair of them and its ReLU. */
function convolutionsOf(factor: number) {
  const at = (i: number, relu: boolean) => ({ name: `subsampling.layers.${i}`, relu });
  const pairs = Array.from({ length: Math.log2(factor) - 1 }, (_, i) => [
    at(3 * i + 2, false),
    at(3 * i + 3, true),
  ]);
  return [at(0, true), ...pairs.flat()];
}

function attention(
  g: Graph,
  given: {
    readonly source: TensorSource;
    readonly normed: Value;
    readonly waves: Value;
    readonly kind: EncoderRequest['kind'];
    readonly biased: boolean;
  },
): Value {
  const { source, normed, waves, kind, biased } = given;
  const projected = (name: string, x = normed, withBias = biased) =>
    linearLayer(g, source, x, `self_attn.${name}`, kind, withBias);
  const contentBias = source.tensor('self_attn.bias_u');
  const attended = relativeAttention(g, {
    query: projected('q_proj'),
    key: projected('k_proj'),
    value: projected('v_proj'),
    waves: projected('relative_k_proj', waves, false),
    contentBias,
    distanceBias: expectShape(source.tensor('self_attn.bias_v'), contentBias.shape),
  });
  return projected('o_proj', attended);
}

/** Adds the scores of a CTC head, where there is one; gives how many labels it tells apart, 0 without. */
function ctcHead(g: Graph, source: TensorSource, encoded: Value, factor: number): number {
  if (!source.has('ctc_head.weight')) return 0;
  const scores = linearLayer(g, source, encoded, 'ctc_head', 'float');
  const labels = Number(scores.shape[2]);
  g.output('ctc', scores, [1, `frames/${factor}`, labels]);
  return labels;
}

const naming: ConformerNaming = {
  feedForwards: [
    { norm: 'norm_feed_forward1', up: 'feed_forward1.linear1', down: 'feed_forward1.linear2' },
    { norm: 'norm_feed_forward2', up: 'feed_forward2.linear1', down: 'feed_forward2.linear2' },
  ],
  attentionNorm: 'norm_self_att',
  convolution: {
    norm: 'norm_conv',
    widening: 'conv.pointwise_conv1',
    depthwise: 'conv.depthwise_conv',
    batchNorm: 'conv.norm',
    narrowing: 'conv.pointwise_conv2',
  },
  norm: 'norm_out',
};
