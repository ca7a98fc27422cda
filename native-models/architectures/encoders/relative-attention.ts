import type { LazyTensor } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { times } from '../../graph/shape.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';

/**
 * Sines and cosines, one beside the other, of the distances S − 1 down to 1 − S (Transformer-XL, appendix B), [1, 2S − 1, width];
 * computed as the graph runs, so that a clip may have any length. `frames`: [1, S, …].
 */
export function distanceWaves(g: Graph, frames: Value, width: number): Value {
  const length = g.shapeOf(frames, 1, 2);
  const name = distances(frames);
  const one = g.int64s([1]);
  const falling = g.sub(g.sub(length, one), g.range(g.sub(g.add(length, length), one), name));
  const rates = Array.from({ length: width / 2 }, (_, i) => 1 / 10000 ** ((2 * i) / width));
  const angles = g.mul(
    g.unsqueeze(g.cast(falling, 'float32'), 1),
    g.constant('float32', [1, width / 2], rates.map(Math.fround)),
  );
  const pairs = g.concat([g.unsqueeze(g.sin(angles), 2), g.unsqueeze(g.cos(angles), 2)], 2);
  return g.reshape(g.unsqueeze(pairs, 0), [1, -1, width]);
}

function distances(frames: Value): string {
  return `${times(frames.shape[1] ?? 1, 2)}-1`;
}

export interface RelativeAttentionInputs {
  /** [1, S, heads·headSize] */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** What a distance says to each head: [1, 2S − 1, heads·headSize], the largest distance first. */
  readonly waves: Value;
  /** [heads, headSize], added to every query: before it meets the keys, and before it meets the distances. */
  readonly contentBias: LazyTensor;
  readonly distanceBias: LazyTensor;
}

/** Attention whose scores also depend on how far a key is away (Transformer-XL, section 3.3), [1, S, heads·headSize]. */
export function relativeAttention(g: Graph, given: RelativeAttentionInputs): Value {
  const { query, key, value, waves, contentBias, distanceBias } = given;
  const [heads = 1, headSize = 1] = contentBias.shape;
  const shifted = (bias: LazyTensor) =>
    g.add(query, g.weight(bias.name, floatWeight(bias, [heads * headSize])));
  const byHead = (x: Value) => g.transpose(g.reshape(x, [0, 0, heads, headSize]), [0, 2, 1, 3]);
  const scale = 1 / Math.sqrt(headSize);
  const scores = g.matMulTransposed(byHead(shifted(distanceBias)), byHead(waves), scale);
  const bias = byKey(g, scores, query, heads);
  return g.multiHeadAttention(shifted(contentBias), key, value, heads, { bias });
}

/** Scores by distance, [1, heads, S, 2S − 1] → by key, [1, heads, S, S]: row i begins S − 1 − i places later. */
function byKey(g: Graph, scores: Value, query: Value, heads: number): Value {
  const size = query.shape[1] ?? 1;
  const length = g.shapeOf(query, 1, 2);
  // A column more in front, read in rows of S: every row then begins one place later than the one before.
  const edge = g.slice(scores, 3, 0, 1);
  const widened = g.concat([edge, scores], 3);
  const turned = g.reshapeTo(widened, g.concat([g.int64s([1, heads, -1]), length], 0), [
    1,
    heads,
    times(size, 2),
    size,
  ]);
  const dropped = g.slice(turned, 2, 1);
  const straight = g.reshapeTo(dropped, g.concat([g.int64s([1, heads]), length, g.int64s([-1])], 0), [
    1,
    heads,
    size,
    `${times(size, 2)}-1`,
  ]);
  return g.sliceAt(straight, 3, g.int64s([0]), length, size);
}
