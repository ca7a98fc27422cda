import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { shapeMismatch, shapeText } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import type { LinearKind } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { linearLayer } from './modules.ts';

export interface BeatsAttention {
  readonly heads: number;
  /** f32 [1, heads, S, S], by how far apart query and key are; null without relative positions. */
  readonly positions: Value | null;
  /** Whether queries open and close the relative positions. */
  readonly gated: boolean;
  readonly kind: LinearKind;
}

/** Attention of a BEATs layer over its input x [1, S, hidden], projections included. `source`: the module `self_attn`. */
export function beatsAttention(g: Graph, source: TensorSource, x: Value, given: BeatsAttention): Value {
  const { heads, positions, gated, kind } = given;
  const projected = (name: string) => linearLayer(g, source, x, name, kind);
  const [query, key, value] = [projected('q_proj'), projected('k_proj'), projected('v_proj')] as const;
  const bias = positions !== null && gated ? g.mul(gate(g, source, query, heads), positions) : positions;
  const attended = g.multiHeadAttention(query, key, value, heads, bias === null ? {} : { bias });
  return linearLayer(g, source, attended, 'out_proj', kind);
}

/**
 * How much of its relative positions each query lets through (BEATs, after WavLM's gated relative position bias), f32
 * [1, heads, S, 1]: `a · (b · grep_a − 1) + 2`, a and b being sigmoids of sums of four outputs of `grep_linear` each.
 */
function gate(g: Graph, source: TensorSource, query: Value, heads: number): Value {
  const size = Number(query.shape[2]) / heads;
  const weight = expectShape(source.tensor('grep_linear.weight'), [8, size]);
  const bias = expectShape(source.tensor('grep_linear.bias'), [8]);
  const byHead = g.transpose(g.reshape(query, [0, 0, heads, size]), [0, 2, 1, 3]);
  const summed = foursSummed(weight, size);
  const sums = g.add(
    g.matMul(byHead, g.weight(summed.name, floatWeight(summed))),
    g.weight(`${bias.name}.summed`, floatWeight(foursSummed(bias, 1), [2])),
  );
  const [first, second] = g.split(g.sigmoid(sums), [1, 1], 3);
  const strength = source.tensor('grep_a');
  const scaled = g.mul(second, g.weight(strength.name, floatWeight(expectShape(strength, [1, heads, 1, 1]))));
  const [one, two] = [g.constant('float32', [], [1]), g.constant('float32', [], [2])];
  return g.add(g.mul(first, g.sub(scaled, one)), two);
}

/** Eight rows [8, size] as the sums of the first and of the last four, turned: [size, 2]. */
function foursSummed(rows: LazyTensor, size: number): LazyTensor {
  return derivedTensor(`${rows.name}.summed`, [size, 2], () => {
    const values = rows.float32();
    const sums = new Float32Array(2 * size);
    for (let row = 0; row < 8; row++)
      for (let i = 0; i < size; i++) {
        const at = 2 * i + (row < 4 ? 0 : 1);
        sums[at] = (sums[at] ?? 0) + (values[row * size + i] ?? 0);
      }
    return sums;
  });
}

/**
 * The relative position bias that all layers share, f32 [1, heads, S, S], for `frames` [1, S, …] of any length: near distances have
 * a bucket each, farther ones share buckets that widen with the logarithm, and from `maxDistance` on all share the last (T5's
 * rule, in both directions). `table`: [buckets, heads].
 */
export function relativePositions(g: Graph, frames: Value, table: LazyTensor, maxDistance: number): Value {
  const [buckets = 0, heads = 0] = table.shape;
  if (table.shape.length !== 2 || buckets < 4 || maxDistance <= buckets / 4)
    throw shapeMismatch(
      `${table.name} ${shapeText(table.shape)} has no buckets for distances up to ${maxDistance}`,
    );
  const length = frames.shape[1] ?? 1;
  const places = g.range(g.shapeOf(frames, 1, 2), length);
  const distance = g.sub(g.unsqueeze(places, 0), g.unsqueeze(places, 1));
  const last = g.constant('int64', [], [maxDistance]);
  const row = g.add(g.max(g.min(distance, last), g.constant('int64', [], [-maxDistance])), last);
  const byDistance = derivedTensor(`${table.name}.byDistance`, [2 * maxDistance + 1, heads], () => {
    const values = table.float32();
    const rows = new Float32Array((2 * maxDistance + 1) * heads);
    for (let at = -maxDistance; at <= maxDistance; at++) {
      const bucket = relativeBucket(at, buckets, maxDistance);
      rows.set(values.subarray(bucket * heads, (bucket + 1) * heads), (at + maxDistance) * heads);
    }
    return rows;
  });
  const biases = g.gather(g.weight(byDistance.name, floatWeight(byDistance)), row);
  return g.unsqueeze(g.transpose(biases, [2, 0, 1]), 0);
}

/** The bucket of a key `distance` places after its query. Rounds as single precision does, where buckets meet. */
export function relativeBucket(distance: number, buckets: number, maxDistance: number): number {
  const half = Math.floor(buckets / 2);
  const exact = Math.floor(half / 2);
  const far = Math.abs(distance);
  const side = distance > 0 ? half : 0;
  if (far < exact) return side + far;
  const logarithm = Math.fround(Math.log(Math.fround(far / exact)));
  const share = Math.fround(logarithm / Math.fround(Math.log(maxDistance / exact)));
  return side + Math.min(half - 1, exact + Math.trunc(Math.fround(share * (half - exact))));
}
