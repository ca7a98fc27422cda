import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { knownDimension, shapeMismatch, shapeText } from '../../graph/shape.ts';
import { type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { type Activation, activate } from './activation.ts';
import { frameWindows, padBothSides } from './frames.ts';
import { type Layer, sequentialNumber } from './module-layers.ts';

export interface ChainSettings {
  readonly kind: LinearKind;
  readonly activation: Activation;
  /** Frames from one output of a convolution to the next, convolution after convolution. */
  readonly strides: readonly number[];
  /** Frames of silence to each side of a convolution; by default, `usualPadding` of its kernel and stride. */
  readonly padding: readonly number[] | undefined;
}

const layerNormEpsilon = 1e-5;
const rmsNormEpsilon = 1e-6;

/** Passes x [1, T, C] through linear layers, convolutions along time and norms, with an activation between them. */
export function layerChain(g: Graph, x: Value, layers: readonly Layer[], settings: ChainSettings): Value {
  let convolutions = 0;
  return layers.reduce((heard, layer, i) => {
    const { weight } = layer;
    const active = i > 0 && activationBetween(layers, i) ? activate(g, heard, settings.activation) : heard;
    if (weight.shape.length === 1) return norm(g, active, layer);
    if (weight.shape.length === 2) return linear(g, active, layer, settings.kind);
    if (weight.shape.length !== 3)
      throw shapeMismatch(`${weight.name} ${shapeText(weight.shape)} is no layer along time`);
    const place = convolutions++;
    const stride = settings.strides[place] ?? 1;
    const padding = settings.padding?.[place] ?? usualPadding(weight.shape[2] ?? 1, stride);
    return convolution(g, active, layer, { stride, padding, kind: settings.kind });
  }, x);
}

/** Keeps `T / stride` outputs: half the kernel, or none where the kernels stand side by side. */
export function usualPadding(kernel: number, stride: number): number {
  return kernel === stride ? 0 : Math.floor((kernel - 1) / 2);
}

/**
 * Whether an activation stands before a layer. In a `Sequential` it takes a number, which is then missing among the layers; where
 * no number is missing, or there are none, it follows every layer but the last and the norms.
 */
export function activationBetween(layers: readonly Layer[], at: number): boolean {
  const pair = layers.slice(at - 1, at + 1);
  const parents = new Set(pair.map(({ path }) => path.replace(/\d+$/, '')));
  const [parent = ''] = parents;
  const numbers = layers
    .filter(({ path }) => path.replace(/\d+$/, '') === parent)
    .map(({ path }) => sequentialNumber(path) ?? Number.NaN);
  const hasGap = numbers.some((number, i) => number - (numbers[i - 1] ?? number) > 1);
  const [before = 0, after = 0] = pair.map(({ path }) => sequentialNumber(path) ?? Number.NaN);
  if (parents.size === 1 && hasGap) return after - before > 1;
  return pair.every(({ weight }) => weight.shape.length !== 1);
}

/** LayerNorm has a bias, RMS norm has none. */
function norm(g: Graph, x: Value, { weight, bias }: Layer): Value {
  const scale = g.weight(weight.name, floatWeight(weight));
  if (bias === null) return g.norm(x, scale, rmsNormEpsilon);
  return g.layerNormalization(x, scale, g.weight(bias.name, floatWeight(bias)), layerNormEpsilon);
}

/**
 * A convolution along time of x [1, T, C]. Rounded weights have no operator of their own for it: there, the frames that a kernel
 * sees are put beside one another and multiplied by the kernel as a matrix.
 */
function convolution(
  g: Graph,
  x: Value,
  { weight, bias }: Layer,
  { stride, padding, kind }: { stride: number; padding: number; kind: LinearKind },
): Value {
  const [outputs = 0, channels = 0, kernel = 0] = weight.shape;
  const width = knownDimension(x.shape, 2, 'Convolution');
  if (channels !== width)
    throw shapeMismatch(`${weight.name} ${shapeText(weight.shape)} does not read vectors of ${width}`);
  if (kind === 'float') {
    const added = bias === null ? null : g.weight(bias.name, floatWeight(bias));
    const turned = g.transpose(x, [0, 2, 1]);
    const kernels = g.weight(weight.name, floatWeight(weight));
    const y = g.conv(turned, kernels, added, { stride, padding: [padding, padding] });
    return g.transpose(y, [0, 2, 1]);
  }
  const padded = padding === 0 ? x : padBothSides(g, x, padding);
  const windows = g.unsqueeze(frameWindows(g, padded, { kernel, stride, remainder: 'drop' }), 0);
  const beside = g.reshape(windows, [0, 0, kernel * width]);
  return linear(g, beside, { weight: kernelMatrix(weight, [outputs, kernel, width]), bias }, kind);
}

/** A convolution's weight [out, in, kernel] as the matrix [out, kernel·in] that frames beside one another are multiplied by. */
function kernelMatrix(
  weight: LazyTensor,
  [outputs, kernel, width]: readonly [number, number, number],
): LazyTensor {
  return derivedTensor(weight.name, [outputs, kernel * width], () => {
    const values = weight.float32();
    const matrix = new Float32Array(values.length);
    for (let out = 0; out < outputs; out++)
      for (let channel = 0; channel < width; channel++)
        for (let at = 0; at < kernel; at++)
          matrix[(out * kernel + at) * width + channel] = values[(out * width + channel) * kernel + at] ?? 0;
    return matrix;
  });
}
