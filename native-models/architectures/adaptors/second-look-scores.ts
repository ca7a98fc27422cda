import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { product } from '../../layers/weight-product.ts';
import { linearOf, type TrainedModule, weightOf } from './conv-blocks.ts';
import { type Draft, type Reading, wholeNumbers } from './second-look-draft.ts';
import type { SecondLookTables } from './second-look-tables.ts';

/** What a look says. The first stack is always scored, and others where they say something. */
export interface Scores {
  /** Of the stacks that are scored, f32 [1, scored, classes]. */
  readonly classes: Value;
  /** Of each stack, the scored one it is or the last before it: i64 [stacks]. */
  readonly row: Value;
  /** The likeliest class of each stack, from 1, or 0 where nothing is said: i64 [1, stacks]. */
  readonly labels: Value;
}

export interface LookedAt {
  /** What the blocks made of each stack, f32 [1, stacks, d]. */
  readonly x: Value;
  /** Unit vectors, f32 [1, stacks, d]. */
  readonly directions: Value;
  /** f32 [1, places, d] */
  readonly expected: Value;
  readonly reading: Reading;
  readonly draft: Draft;
  readonly tables: SecondLookTables;
  /** Which look it is, from 1. */
  readonly number: number;
}

export function scoresOf(module: TrainedModule, looked: LookedAt): Scores {
  const { g } = module;
  const { x, directions, expected, reading, draft, tables, number } = looked;
  const { words, capitals, scales } = tables;
  const blank = g.squeeze(g.add(draft.blank, linearOf(module, x, 'blank', 1)), -1);
  const says = g.less(blank, g.constant('float32', [], [0]));
  const scored = `scored${number}`;
  const { frames, row } = scoredFrames(g, g.squeeze(says, 0), scored);
  // One product with the table for what is expected and what is answered.
  const answers = { ...g.gather(directions, frames, 1), shape: [1, scored, words.columns] };
  const lengths = g.concat([g.shapeOf(expected, 1, 2), g.shapeOf(answers, 1, 2)], 0);
  const all = product(g, g.concat([expected, answers], 1), words);
  const [onExpected, onAnswers] = g.splitAt(all, lengths, 1, ['places', scored]);
  const count = capitals.length;
  const capitalRows = g.weight('whisper.capitals', wholeNumbers(capitals));
  const logs = g.logSoftmax(
    logAddExp(g, g.slice(onExpected, 2, 0, count), g.gather(onExpected, capitalRows, 2)),
  );
  const trust = g.gather(g.softplus(linearOf(module, x, 'trust', 2)), frames, 1);
  const next = g.gather(reading.read, frames);
  const here = g.max(g.sub(next, g.int64s([1])), g.int64s([0]));
  const trusted = [here, next].map((places, column) =>
    g.mul(g.slice(trust, 2, column, column + 1), g.gather(logs, places, 1)),
  );
  const similar = g.mul(g.slice(onAnswers, 2, 0, count), g.weight('adaptor.scales', scales));
  const scores = trusted.reduce((sum, part) => g.add(sum, part), similar);
  const classes = g.add(scores, weightOf(module, 'bias', [count]));
  const likeliest = g.add(g.argMax(classes, -1), g.int64s([1]));
  const labels = g.where(says, g.gather(likeliest, row, 1), g.constant('int64', [], [0]));
  return { classes, row, labels: { ...labels, shape: [1, 'stacks'] } };
}

/** `says` bool [stacks] → the first and all that say something, i64 [scored], and for each which of them it is, i64 [stacks]. */
function scoredFrames(g: Graph, says: Value, name: string): { frames: Value; row: Value } {
  const stacks = g.range(g.shapeOf(says, 0, 1), 'stacks');
  const isScored = g.or(says, g.equal(stacks, g.int64s([0])));
  const row = g.sub(g.cumSum(g.cast(isScored, 'int64'), 0), g.int64s([1]));
  return { frames: g.squeeze(g.nonZero(isScored, name), 0), row };
}

/** log(eᵃ + eᵇ), without either overflowing. */
function logAddExp(g: Graph, a: Value, b: Value): Value {
  return g.add(g.max(a, b), g.softplus(g.neg(g.abs(g.sub(a, b)))));
}
