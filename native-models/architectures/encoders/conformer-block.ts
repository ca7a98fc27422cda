import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { knownDimension, shapeMismatch } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import type { LinearKind } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { layerNorm, linearLayer } from './modules.ts';

/** Where a publisher keeps the modules of a block. */
export interface ConformerNaming {
  readonly feedForwards: readonly [FeedForwardNaming, FeedForwardNaming];
  readonly attentionNorm: string;
  readonly convolution: {
    readonly norm: string;
    readonly widening: string;
    readonly depthwise: string;
    readonly batchNorm: string;
    readonly narrowing: string;
  };
  readonly norm: string;
}

interface FeedForwardNaming {
  readonly norm: string;
  readonly up: string;
  readonly down: string;
}

export interface ConformerBlock {
  /** The block's tensors, under its naming. */
  readonly source: TensorSource;
  readonly naming: ConformerNaming;
  readonly kind: LinearKind;
  /** Whether the convolution comes before the attention. */
  readonly convolutionFirst: boolean;
  /** Whether the feed-forwards' layers have biases, and the convolution's. */
  readonly biased: { readonly feedForward: boolean; readonly convolution: boolean };
  /** Attention of normed frames, its projections included. */
  attend(normed: Value): Value;
}

/**
 * A block of the Conformer (Gulati et al. 2020, section 2): half a feed-forward, attention, convolution, the other half, each
 * added to what came in, then a norm. x [1, S, hidden] → the same.
 */
export function conformerBlock(g: Graph, x: Value, block: ConformerBlock): Value {
  const { source, naming, convolutionFirst } = block;
  const [first, second] = naming.feedForwards;
  const attention = (x: Value) => g.add(x, block.attend(layerNorm(g, source, x, naming.attentionNorm)));
  const convolution = (x: Value) => g.add(x, convolutionModule(g, x, block));
  const begun = halfFeedForward(g, x, block, first);
  const heard = convolutionFirst ? attention(convolution(begun)) : convolution(attention(begun));
  return layerNorm(g, source, halfFeedForward(g, heard, block, second), naming.norm);
}

function halfFeedForward(
  g: Graph,
  x: Value,
  { source, kind, biased }: ConformerBlock,
  { norm, up, down }: FeedForwardNaming,
): Value {
  const wide = g.silu(linearLayer(g, source, layerNorm(g, source, x, norm), up, kind, biased.feedForward));
  const half = g.constant('float32', [], [0.5]);
  return g.add(x, g.mul(linearLayer(g, source, wide, down, kind, biased.feedForward), half));
}

/** Norm, gated widening, a convolution of each channel along time, SiLU, narrowing. */
function convolutionModule(g: Graph, x: Value, block: ConformerBlock): Value {
  const { source, kind, naming } = block;
  const { norm, widening, narrowing } = naming.convolution;
  const biased = block.biased.convolution;
  const wide = linearLayer(g, source, layerNorm(g, source, x, norm), widening, kind, biased);
  const channels = knownDimension(wide.shape, 2, 'Conformer') / 2;
  const [value, gate] = g.split(wide, [channels, channels], 2);
  const gated = g.transpose(g.mul(value, g.sigmoid(gate)), [0, 2, 1]);
  const { weight, bias, kernel } = normedConvolution(block, channels);
  const side = (kernel - 1) / 2;
  const neighbours = g.conv(
    gated,
    g.weight(weight.name, floatWeight(weight)),
    g.weight(bias.name, floatWeight(bias)),
    {
      padding: [side, side],
      groups: channels,
    },
  );
  return linearLayer(g, source, g.transpose(g.silu(neighbours), [0, 2, 1]), narrowing, kind, biased);
}

const batchNormEpsilon = 1e-5;

/**
 * A depthwise convolution with the batch norm behind it in one: statistics of training are constants, so that the norm is a
 * factor and a shift of each channel.
 */
function normedConvolution({ source, naming, biased }: ConformerBlock, channels: number) {
  const { depthwise, batchNorm } = naming.convolution;
  const weight = source.tensor(`${depthwise}.weight`);
  const kernel = weight.shape[2] ?? 0;
  expectShape(weight, [channels, 1, kernel]);
  if (kernel % 2 === 0) throw shapeMismatch(`${weight.name} has an even kernel of ${kernel}`);
  const vector = (name: string): LazyTensor => expectShape(source.tensor(name), [channels]);
  const [scale, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
    vector(`${batchNorm}.${part}`),
  );
  const bias = biased.convolution ? vector(`${depthwise}.bias`) : null;
  const factors = () => {
    const [scales, variances] = [scale?.float32(), variance?.float32()];
    return Float32Array.from(
      { length: channels },
      (_, i) => (scales?.[i] ?? 1) / Math.sqrt((variances?.[i] ?? 1) + batchNormEpsilon),
    );
  };
  return {
    kernel,
    weight: derivedTensor(`${weight.name}.normed`, weight.shape, () => {
      const by = factors();
      return weight.float32().map((value, i) => value * (by[Math.floor(i / kernel)] ?? 1));
    }),
    bias: derivedTensor(`${weight.name}.normed.bias`, [channels], () => {
      const [means, shifts, biases] = [mean?.float32(), shift?.float32(), bias?.float32()];
      return factors().map((by, i) => ((biases?.[i] ?? 0) - (means?.[i] ?? 0)) * by + (shifts?.[i] ?? 0));
    }),
  };
}
