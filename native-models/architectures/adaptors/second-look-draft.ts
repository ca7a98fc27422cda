import type { Value, Weight } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { bytesOf } from '../../layers/streamed-weight.ts';
import { product, weighedRows } from '../../layers/weight-product.ts';
import { linearOf, stackedBlocks, type TrainedModule, weightOf } from './conv-blocks.ts';
import type { SecondLookSettings } from './second-look-settings.ts';
import type { SecondLookTables } from './second-look-tables.ts';

/** What the draft makes of each stack of frames. */
export interface Draft {
  /** f32 [1, stacks, d] */
  readonly hidden: Value;
  /** Unit vectors among Whisper's token embeddings, f32 [1, stacks, d]. */
  readonly directions: Value;
  /** log odds that nothing is said, f32 [1, stacks, 1]. */
  readonly blank: Value;
}

/** What was said last, by the draft or by a look. */
export interface Reading {
  /** The tokens' rows in the table of words, i64 [1, tokens]. */
  readonly rows: Value;
  /** Their expected embeddings, f32 [1, tokens, d]. */
  readonly believed: Value;
  /** How many of them have begun at each stack, i64 [stacks]. */
  readonly read: Value;
}

/** The draft and what it says, at most `longest_draft` tokens. */
export function draftOf(
  module: TrainedModule,
  encoded: Value,
  { adaptor: { draft, drafted, longest_draft: longest } }: SecondLookSettings,
  tables: SecondLookTables,
): { draft: Draft; reading: Reading } {
  const { g } = module;
  const normed = stackedBlocks(module, encoded, draft);
  const hidden = { ...normed, shape: [1, 'stacks', draft.d] };
  const directions = unitVectors(g, linearOf(module, hidden, 'out', draft.dl));
  const cosines = g.mul(product(g, directions, tables.drafted), g.weight('draft.scales', tables.draftScales));
  const classes = g.add(cosines, weightOf(module, 'bias', [drafted.length]));
  const blank = linearOf(module, hidden, 'blank', 1);
  const labels = g.argMax(g.concat([blank, classes], -1), -1);
  const { kept, read } = readingOf(g, labels, longest, 'drafted');
  const rows = g.weight('draft.rows', wholeNumbers(drafted));
  const reading = {
    rows: g.gather(rows, g.sub(g.gather(labels, kept, 1), g.int64s([1]))),
    believed: weighedRows(g, g.softmax(g.gather(classes, kept, 1)), tables.drafted),
    read,
  };
  return { draft: { hidden, directions, blank: g.sub(blank, logSumExp(g, classes)) }, reading };
}

/** Stacks whose `labels` i64 [1, stacks] are neither the blank nor the one before: the first `longest`, i64 [tokens], and how many have begun. */
export function readingOf(
  g: Graph,
  labels: Value,
  longest: number,
  name: string,
): { kept: Value; read: Value } {
  const before = g.concat([g.constant('int64', [1, 1], [0]), g.slice(labels, 1, 0, -1)], 1);
  const same = { ...before, shape: labels.shape };
  const isNew = g.squeeze(g.and(g.greater(labels, g.int64s([0])), g.not(g.equal(labels, same))), 0);
  const places = g.slice(g.squeeze(g.nonZero(isNew, name), 0), 0, 0, longest);
  const read = g.min(g.cumSum(g.cast(isNew, 'int64'), 0), g.int64s([longest]));
  return { kept: { ...places, shape: [`${name}.tokens`] }, read };
}

export function unitVectors(g: Graph, x: Value): Value {
  return g.div(x, g.max(g.reduceL2(x, -1), g.constant('float32', [], [1e-12])));
}

export function wholeNumbers(values: readonly number[]): Weight {
  return { type: 'int64', shape: [values.length], read: () => bytesOf(BigInt64Array.from(values, BigInt)) };
}

/** f32 [1, S, classes] → [1, S, 1] */
function logSumExp(g: Graph, x: Value): Value {
  const most = g.reduceMax(x, -1);
  return g.add(most, g.log(g.reduceSum(g.exp(g.sub(x, most)), -1)));
}
