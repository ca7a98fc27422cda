import type { Value } from '../graph/definition.ts';
import type { Graph } from '../graph/graph.ts';
import { times } from '../graph/shape.ts';

export interface AttentionSizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
}

/** What every layer of a run has in common. */
export interface RowsFrame {
  /** Any value [1, S, …] of the run. */
  readonly embeddings: Value;
  /** i32 [1], position of the last of the S. */
  readonly lastPosition: Value;
  readonly cosines: Value;
  readonly sines: Value;
  /** A cache of any layer, [1, kvHeads, capacity, headSize]. */
  readonly cache: Value;
}

export interface KeysAndValues {
  readonly key: Value;
  readonly value: Value;
}

/** Far below any score, and finite, so that no sum of two becomes a NaN. */
const masked = -1e30;

/**
 * Causal grouped-query attention over caches that stay as they are: keys and values of the past are read where they lie, those of
 * the run's S positions are scored beside them, and one softmax spans both. GroupQueryAttention of ONNX Runtime copies the whole
 * cache in every step on a CPU; this makes a step's cost nearly flat in the context (docs/decisions/0004).
 *
 * Gives a function for each layer: qkv f32 [1, S, (heads + 2·kvHeads)·headSize], not yet rotated, and the layer's caches → attended
 * [1, S, heads·headSize], and the new rows [1, kvHeads, S, headSize].
 */
export function rowsAttention(
  g: Graph,
  { heads, kvHeads, headSize }: AttentionSizes,
  frame: RowsFrame,
): (qkv: Value, past: KeysAndValues) => { y: Value; rows: KeysAndValues } {
  const run = runLengths(g, frame);
  const group = heads / kvHeads;
  const scoreSizes = g.concat([g.int64s([kvHeads, group]), run.added, run.total], 0);
  const foldedSizes = g.concat([g.int64s([kvHeads, -1]), run.total], 0);
  const rotated = heads + kvHeads;
  const queries = times('S', group);

  /** [1, S, count·headSize] → [count, S, headSize]. */
  const byHead = (x: Value, count: number) => g.transpose(g.reshape(x, [-1, count, headSize]), [1, 0, 2]);

  return (qkv, past) => {
    const [unrotated, plainValue] = g.split(qkv, [rotated * headSize, kvHeads * headSize], -1);
    const queryAndKey = g.rotaryEmbedding(unrotated, run.first, frame.cosines, frame.sines);
    const [query, key] = g.split(byHead(queryAndKey, rotated), [heads, kvHeads], 0);
    const value = byHead(plainValue, kvHeads);
    // Heads that share a key stand below one another: one product for all of them.
    const grouped = g.reshape(query, [kvHeads, -1, headSize]);
    const scale = 1 / Math.sqrt(headSize);
    const kept = (cache: Value) => g.squeeze(cache, 0);
    const scores = g.concat(
      [g.matMulTransposed(grouped, kept(past.key), scale), g.matMulTransposed(grouped, key, scale)],
      2,
    );
    const shaped = g.reshapeTo(scores, scoreSizes, [kvHeads, group, 'S', 'capacity+S']);
    const weights = g.softmax(g.add(shaped, run.mask), -1);
    const folded = g.reshapeTo(weights, foldedSizes, [kvHeads, queries, 'capacity+S']);
    const [onPast, onNew] = g.splitAt(folded, run.lengths, 2, ['capacity', 'S']);
    const attended = g.add(g.matMul(onPast, kept(past.value)), g.matMul(onNew, value));
    const heads3 = g.reshape(attended, [heads, -1, headSize]);
    return {
      y: g.reshape(g.transpose(heads3, [1, 0, 2]), [1, -1, heads * headSize]),
      rows: { key: g.unsqueeze(key, 0), value: g.unsqueeze(value, 0) },
    };
  };
}

interface RunLengths {
  /** i64 [1]: positions of this run, S. */
  readonly added: Value;
  /** i64 [1]: capacity + S. */
  readonly total: Value;
  /** i64 [2]: capacity, S. */
  readonly lengths: Value;
  /** i64 [1]: position of the run's first. */
  readonly first: Value;
  /** f32 [S, capacity+S], added to scores: zero where a position may look, far below elsewhere. */
  readonly mask: Value;
}

/** Computed once a run. */
function runLengths(g: Graph, { embeddings, lastPosition, cache }: RowsFrame): RunLengths {
  const added = g.shapeOf(embeddings, 1, 2);
  const capacity = g.shapeOf(cache, 2, 3);
  const end = g.add(g.cast(lastPosition, 'int64'), g.int64s([1]));
  const first = g.sub(end, added);
  const zero = g.constant('float32', [], [0]);
  const far = g.constant('float32', [], [masked]);
  const slots = g.range(capacity, 'capacity');
  const positions = g.range(added, 'S');
  const filled = g.where(g.greater(first, slots), zero, far);
  const later = g.greater(positions, g.unsqueeze(positions, 1));
  const onPast = g.expand(filled, g.concat([added, capacity], 0), ['S', 'capacity']);
  return {
    added,
    total: g.add(capacity, added),
    lengths: g.concat([capacity, added], 0),
    first,
    mask: g.concat([onPast, g.where(later, far, zero)], 1),
  };
}
