import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { knownDimension, shapeMismatch, shapeText } from '../../graph/shape.ts';
import type { LinearKind } from '../../layers/linear.ts';
import { linearLayer, weightOf } from './modules.ts';

export interface Subsampling {
  readonly source: TensorSource;
  /**
   * The convolutions over time and bands, in their order: each of stride 2, or, where its kernel is a single point, of stride 1.
   * `relu` where one follows.
   */
  readonly convolutions: readonly { readonly name: string; readonly relu: boolean }[];
  /** The linear layer from the channels of all bands to the encoder's width. */
  readonly linear: string;
  readonly kind: LinearKind;
}

/**
 * Fewer frames, and as wide as the encoder: `features` [1, mels, frames] through convolutions over both, then all bands of a frame
 * through a linear layer → [1, frames / 2^strides, hidden].
 */
export function subsample(g: Graph, features: Value, given: Subsampling): Value {
  const { source, convolutions, linear, kind } = given;
  let x = g.unsqueeze(g.transpose(features, [0, 2, 1]), 1);
  for (const { name, relu } of convolutions) {
    const convolved = convolution(g, source, x, name);
    x = relu ? g.relu(convolved) : convolved;
  }
  const channels = knownDimension(x.shape, 1, 'subsampling');
  const bands = knownDimension(x.shape, 3, 'subsampling');
  const frames = g.reshape(g.transpose(x, [0, 2, 1, 3]), [0, 0, channels * bands]);
  return linearLayer(g, source, frames, linear, kind);
}

/** The number of groups follows from the weight: 1, or one for each channel. */
function convolution(g: Graph, source: TensorSource, x: Value, name: string): Value {
  const channels = knownDimension(x.shape, 1, 'subsampling');
  const { shape } = source.tensor(`${name}.weight`);
  const [outputs = 0, inputs = 0, kernel = 0] = shape;
  if (kernel % 2 === 0) throw shapeMismatch(`${name}.weight ${shapeText(shape)} is no odd square`);
  const depthwise = inputs === 1 && channels > 1;
  const expected = depthwise ? [channels, 1, kernel, kernel] : [outputs, channels, kernel, kernel];
  const weight = weightOf(g, source, `${name}.weight`, expected);
  const side = (kernel - 1) / 2;
  return g.conv(x, weight, weightOf(g, source, `${name}.bias`, [outputs]), {
    stride: kernel === 1 ? 1 : 2,
    padding: [side, side],
    groups: depthwise ? channels : 1,
  });
}
