import type { LazyTensor } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { dimensionAt, knownDimension, shapeMismatch, shapeText } from '../../graph/shape.ts';
import { type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { type Activation, activate } from './activation.ts';
import type { AttentionWeights, QFormerLayerWeights, QFormerWeights } from './q-former-weights.ts';
import type { WeightAndBias } from './tensor-names.ts';

export interface QFormerSettings {
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  readonly kind: LinearKind;
}

/** torch's own, for the norms outside the Q-Former. */
const frameNormEpsilon = 1e-5;

/**
 * BERT's layers over query tokens, post-norm, each with attention among the queries, attention to the frames where the layer has
 * it, and a feed-forward net (BLIP-2, section 3.1; SALMONN, section 3.1).
 *
 * frames [windows, T, d] → [windows, queries, LLM's width]: the same queries look at every window.
 */
export function qFormer(g: Graph, frames: Value, weights: QFormerWeights, settings: QFormerSettings): Value {
  let x = startingQueries(g, frames, weights, settings);
  for (const layer of weights.layers) x = qFormerLayer(g, x, frames, layer, settings);
  const { projection, projectionNorm } = weights;
  const projected = projection === null ? x : linear(g, x, projection, settings.kind);
  return projectionNorm === null ? projected : layerNorm(g, projected, projectionNorm, frameNormEpsilon);
}

/** What the frames are multiplied by on their way: each layer's values, and the projection. */
export function qFormerMatrices({ layers, projection }: QFormerWeights): readonly LazyTensor[] {
  const values = layers.flatMap(({ crossAttention }) => crossAttention?.value.weight ?? []);
  return projection === null ? values : [...values, projection.weight];
}

/** The norm that SALMONN puts before the windows. */
export function frameNorm(g: Graph, norm: WeightAndBias | null): (x: Value) => Value {
  return (x) => (norm === null ? x : layerNorm(g, x, norm, frameNormEpsilon));
}

function startingQueries(
  g: Graph,
  frames: Value,
  { queries, queryNorm }: QFormerWeights,
  { epsilon }: QFormerSettings,
): Value {
  const [width = 0, count = 0] = queries.shape.toReversed();
  const tokens = g.weight(queries.name, floatWeight(queries, [1, count, width]));
  const normed = queryNorm === null ? tokens : layerNorm(g, tokens, queryNorm, epsilon);
  const windows = dimensionAt(frames.shape, 0, 'Q-Former');
  if (windows === 1) return normed;
  const sizes = g.concat([g.shapeOf(frames, 0, 1), g.int64s([count, width])], 0);
  return g.expand(normed, sizes, [windows, count, width]);
}

function qFormerLayer(
  g: Graph,
  x: Value,
  frames: Value,
  layer: QFormerLayerWeights,
  settings: QFormerSettings,
): Value {
  const among = attention(g, x, x, layer.selfAttention, settings);
  const informed =
    layer.crossAttention === null ? among : attention(g, among, frames, layer.crossAttention, settings);
  const wide = activate(g, linear(g, informed, layer.intermediate, settings.kind), settings.activation);
  const narrow = linear(g, wide, layer.output, settings.kind);
  return layerNorm(g, g.add(narrow, informed), layer.norm, settings.epsilon);
}

function attention(
  g: Graph,
  x: Value,
  to: Value,
  { query, key, value, output, norm }: AttentionWeights,
  { heads, epsilon, kind }: QFormerSettings,
): Value {
  const q = linear(g, x, query, kind);
  const width = knownDimension(q.shape, 2, 'Q-Former attention');
  if (width % heads !== 0)
    throw shapeMismatch(`${query.weight.name}: ${width} outputs are not ${heads} heads of one size`);
  const [keys, values] = [linear(g, to, key, kind), linear(g, to, value, kind)];
  for (const { weight } of [key, value])
    if (weight.shape[0] !== width)
      throw shapeMismatch(
        `${weight.name} gives vectors of ${weight.shape[0]}, the queries are ${width} wide`,
      );
  const attended = g.multiHeadAttention(q, keys, values, heads);
  return layerNorm(g, g.add(linear(g, attended, output, kind), x), norm, epsilon);
}

function layerNorm(g: Graph, x: Value, { weight, bias }: WeightAndBias, epsilon: number): Value {
  if (weight.shape.length !== 1)
    throw shapeMismatch(`${weight.name} ${shapeText(weight.shape)} is no norm's`);
  const added = bias === null ? null : g.weight(bias.name, floatWeight(bias));
  return g.layerNormalization(x, g.weight(weight.name, floatWeight(weight)), added, epsilon);
}
