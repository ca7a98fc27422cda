import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { knownDimension, shapeMismatch } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import { linear } from '../../layers/linear.ts';
import { type ConformerNaming, conformerBlock } from './conformer-block.ts';
import { ctcLabels } from './ctc-labels.ts';
import type { BuiltEncoder, EncoderArchitecture, EncoderRequest } from './encoder.ts';
import { featureOverrides, featuresOf, kaldiFeatures, soundFrames } from './feature-overrides.ts';
import { countModules, inside, linearLayer, prefixesOf } from './modules.ts';
import { buildParakeet, isParakeet } from './parakeet.ts';
import { checked, refuseOptions } from './settings.ts';
import { subsample } from './subsampling.ts';

const configSchema = z.object({
  mels: z.number().int().min(1).max(256).default(80),
  /** Of each attention; heads of 64 by default, as AudioChatLlama has them. */
  heads: z.number().int().min(1).max(1024).optional(),
  convolution_first: z.boolean().default(false),
  features: featureOverrides.optional(),
});

/** A frame would stand for more than half a second. */
const mostStrides = 5;
const firstLayer = 'conformer_layers.0.self_attn.in_proj_weight';

/**
 * AudioChatLlama's encoder (section 3.2): an 80-band filter bank of 10 ms, convolutions to 80 ms, a linear layer,
 * Conformer blocks, and the linear CTC head that it was trained with, kept for inspection.
 *
 * The blocks are those of torchaudio.models.Conformer. Tensors: `subsampling.conv.N.{weight,bias}` ([channels, in, 3, 3], stride 2,
 * padding 1, a ReLU behind each; three of them make 80 ms), `subsampling.linear.{weight,bias}` (all channels of the lowest band's
 * place first: PyTorch's `x.transpose(1, 2).flatten(2)` of [1, channels, frames, bands]), `conformer.conformer_layers.N.…`, and
 * `ctc.{weight,bias}`; another name may stand before all of them. config.json: `mels`, `heads`, `convolution_first`, `features`.
 *
 * An encoder saved by transformers as ParakeetForCTC, its nearest published relative, is read as well.
 */
export const conformer: EncoderArchitecture = {
  name: 'conformer',
  build: (request) => (isParakeet(request.weights) ? buildParakeet(request) : buildConformer(request)),
};

function buildConformer({ weights, config, options, kind, target, tokenizer }: EncoderRequest): BuiltEncoder {
  refuseOptions(options);
  const source = moduleOf(weights);
  const settings = checked(configSchema, config, 'config.json beside the encoder');
  const g = new Graph('conformer-encoder', target);
  const features = featuresOf(settings.features, kaldiFeatures(settings.mels));
  const sound = soundFrames(g, g.input('features', 'float32', [1, settings.mels, 'frames']), features);
  const strides = countModules(source.names(), 'subsampling.conv.');
  if (strides > mostStrides)
    throw shapeMismatch(`${strides} convolutions of subsampling leave nothing to hear`);
  const convolutions = Array.from({ length: strides }, (_, i) => ({
    name: `subsampling.conv.${i}`,
    relu: true,
  }));
  let x = subsample(g, sound, { source, convolutions, linear: 'subsampling.linear', kind });
  const hidden = knownDimension(x.shape, 2, 'Conformer');
  const heads = settings.heads ?? Math.max(1, Math.floor(hidden / 64));
  const layers = countModules(source.names(), 'conformer.conformer_layers.');
  for (let layer = 0; layer < layers; layer++) {
    const module = inside(source, `conformer.conformer_layers.${layer}.`);
    const attend = (normed: Value) => attention(g, module, normed, heads, kind);
    const convolutionFirst = settings.convolution_first;
    x = conformerBlock(g, x, { source: module, naming, kind, convolutionFirst, biased, attend });
  }
  const factor = 2 ** strides;
  g.output('encoder', x, [1, `frames/${factor}`, hidden]);
  const scores = source.has('ctc.weight') ? linearLayer(g, source, x, 'ctc', 'float') : null;
  if (scores !== null) g.output('ctc', scores, [1, `frames/${factor}`, scores.shape[2] ?? 1]);
  return {
    graph: g,
    features,
    hidden,
    framesPerSecond: 100 / factor,
    maxPositions: null,
    unitSamples: 160 * factor,
    ctcLabels: ctcLabels(tokenizer, Number(scores?.shape[2] ?? 0)),
  };
}

function moduleOf(weights: TensorSource): TensorSource {
  const [prefix] = prefixesOf(weights, `conformer.${firstLayer}`);
  if (prefix !== undefined) return inside(weights, prefix);
  throw new ModelError(
    'tensor-missing',
    `The encoder's weights have no conformer.${firstLayer}.`,
    "Name the tensors as this family's file says, or save the encoder with transformers as ParakeetForCTC.",
  );
}

/** PyTorch's MultiheadAttention: queries, keys and values below one another in one matrix. */
function attention(
  g: Graph,
  source: TensorSource,
  normed: Value,
  heads: number,
  kind: EncoderRequest['kind'],
): Value {
  const hidden = knownDimension(normed.shape, 2, 'Conformer');
  if (hidden % heads !== 0)
    throw shapeMismatch(`${heads} heads do not share ${hidden} evenly: see heads in config.json`);
  const name = 'self_attn.in_proj';
  const weight = expectShape(source.tensor(`${name}_weight`), [3 * hidden, hidden]);
  const bias = expectShape(source.tensor(`${name}_bias`), [3 * hidden]);
  const qkv = linear(g, normed, { weight, bias }, kind);
  const [query, key, value] = g.split(qkv, [hidden, hidden, hidden], 2);
  return linearLayer(g, source, g.multiHeadAttention(query, key, value, heads), 'self_attn.out_proj', kind);
}

/** As torchaudio.models.Conformer is made. */
const biased = { feedForward: true, convolution: true };

const naming: ConformerNaming = {
  feedForwards: [
    { norm: 'ffn1.sequential.0', up: 'ffn1.sequential.1', down: 'ffn1.sequential.4' },
    { norm: 'ffn2.sequential.0', up: 'ffn2.sequential.1', down: 'ffn2.sequential.4' },
  ],
  attentionNorm: 'self_attn_layer_norm',
  convolution: {
    norm: 'conv_module.layer_norm',
    widening: 'conv_module.sequential.0',
    depthwise: 'conv_module.sequential.2',
    batchNorm: 'conv_module.sequential.3',
    narrowing: 'conv_module.sequential.5',
  },
  norm: 'final_layer_norm',
};
