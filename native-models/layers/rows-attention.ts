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
  /** A cache of any layer, [1, kvHeads, capacity, headSize]. */
  readonly cache: Value;
}

/** f32 [positions, rotated dimensions/2] each. */
export interface RotaryValues {
  readonly cosines: Value;
  readonly sines: Value;
}

/** What one layer does in its own way. */
export interface AttentionKind {
  /** Null where positions are not rotated in. */
  readonly rotary: RotaryValues | null;
  /** Positions that each looks at, itself included; null for all before it. */
  readonly window: number | null;
  /** Of the scores. */
  readonly scale: number;
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
 * Gives a function for each layer: queries and keys f32 [1, S, (heads + kvHeads)·headSize], not yet rotated, values
 * [1, S, kvHeads·headSize], and the layer's caches → attended [1, S, heads·headSize], and the new rows [1, kvHeads, S, headSize].
 */
export function rowsAttention(
  g: Graph,
  { heads, kvHeads, headSize }: AttentionSizes,
  frame: RowsFrame,
): (
  queryAndKey: Value,
  values: Value,
  past: KeysAndValues,
  kind: AttentionKind,
) => { y: Value; rows: KeysAndValues } {
  const run = runLengths(g, frame);
  const group = heads / kvHeads;
  const scoreSizes = g.concat([g.int64s([kvHeads, group]), run.added, run.total], 0);
  const foldedSizes = g.concat([g.int64s([kvHeads, -1]), run.total], 0);
  const rotated = heads + kvHeads;
  const queries = times('S', group);
  const masks = new Map<number | null, Value>();
  const maskOf = (window: number | null) => {
    const mask = masks.get(window) ?? causalMask(g, run, window);
    masks.set(window, mask);
    return mask;
  };

  /** [1, S, count·headSize] → [count, S, headSize]. */
  const byHead = (x: Value, count: number) => g.transpose(g.reshape(x, [-1, count, headSize]), [1, 0, 2]);

  return (queryAndKey, values, past, { rotary, window, scale }) => {
    const turned =
      rotary === null
        ? queryAndKey
        : g.rotaryEmbedding(queryAndKey, run.first, rotary.cosines, rotary.sines, headSize);
    const [query, key] = g.split(byHead(turned, rotated), [heads, kvHeads], 0);
    const value = byHead(values, kvHeads);
    // Heads that share a key stand below one another: one product for all of them.
    const grouped = g.reshape(query, [kvHeads, -1, headSize]);
    const kept = (cache: Value) => g.squeeze(cache, 0);
    const scores = g.concat(
      [g.matMulTransposed(grouped, kept(past.key), scale), g.matMulTransposed(grouped, key, scale)],
      2,
    );
    const shaped = g.reshapeTo(scores, scoreSizes, [kvHeads, group, 'S', 'capacity+S']);
    const weights = g.softmax(g.add(shaped, maskOf(window)), -1);
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
  /** i64 [1]. */
  readonly capacity: Value;
  /** i64 [1]: capacity + S. */
  readonly total: Value;
  /** i64 [2]: capacity, S. */
  readonly lengths: Value;
  /** i64 [1]: position of the run's first. */
  readonly first: Value;
}

/** Computed once a run. */
function runLengths(g: Graph, { embeddings, lastPosition, cache }: RowsFrame): RunLengths {
  const added = g.shapeOf(embeddings, 1, 2);
  const capacity = g.shapeOf(cache, 2, 3);
  const end = g.add(g.cast(lastPosition, 'int64'), g.int64s([1]));
  return {
    added,
    capacity,
    total: g.add(capacity, added),
    lengths: g.concat([capacity, added], 0),
    first: g.sub(end, added),
  };
}

/** f32 [S, capacity+S], added to scores: zero where a position may look, far below elsewhere. Computed once a run. */
function causalMask(g: Graph, { added, capacity, first }: RunLengths, window: number | null): Value {
  const zero = g.constant('float32', [], [0]);
  const far = g.constant('float32', [], [masked]);
  const slots = g.range(capacity, 'capacity');
  const positions = g.range(added, 'S');
  const rows = g.unsqueeze(positions, 1);
  const later = g.where(g.greater(positions, rows), far, zero);
  const empty = g.where(g.greater(first, slots), zero, far);
  if (window === null) {
    const onPast = g.expand(empty, g.concat([added, capacity], 0), ['S', 'capacity']);
    return g.concat([onPast, later], 1);
  }
  // Of position p, p − window is the last that it does not look at. Both may be far: the sum is still finite.
  const reach = g.int64s([window]);
  const ownReach = g.sub(rows, reach);
  const pastReach = g.sub(g.add(rows, first), reach);
  const behind = (places: Value, least: Value) => g.where(g.greater(places, least), zero, far);
  return g.concat([g.add(empty, behind(slots, pastReach)), g.add(later, behind(positions, ownReach))], 1);
}
