import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value, Weight } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { bytesOf } from '../../layers/streamed-weight.ts';
import { lookUp, product, weighedRows } from '../../layers/weight-product.ts';
import { readByWhisper } from '../encoders/whisper-reading.ts';
import type { AdaptorRequest } from './adaptor.ts';
import { convBlocks, linearOf, rmsNorm, stackedBlocks, type TrainedModule, weightOf } from './conv-blocks.ts';
import type { SecondLookParts, SecondLookSettings } from './second-look-settings.ts';
import { type SecondLookTables, secondLookTables } from './second-look-tables.ts';

/** The draft's tokens, as many as there are. */
interface Draft {
  /** Their rows in the table of words, i64 [1, tokens]. */
  readonly rows: Value;
  /** Their expected embeddings, f32 [1, tokens, d]. */
  readonly soft: Value;
}

interface Answers {
  /** Of each slot of each place, f32 [1, places, slots, 1]. */
  readonly blank: Value;
  /** f32 [1, places, slots, classes] */
  readonly classes: Value;
}

/**
 * `encoder` f32 [1, frames, din] → `adaptor` f32 [1, slots, dl] and `labels` i64 [1, slots].
 *
 * CTC draft over Whisper's token embeddings → Whisper's decoder once over the draft behind its prefix → at each place before,
 * between and behind its tokens: linear(norm(what the decoder expects)) + linear(norm(the token drafted there)) → blocks → norm →
 * for each slot the classes' scores, cosine · τ + trust · log of what the decoder expects + bias, and a blank's. A slot's
 * vector is the expected embedding over the classes. An empty draft has one place. With more looks than one, what a look says,
 * blanks and repeats left out, is the draft of the next.
 */
export function secondLook(
  { weights, kind, target }: Pick<AdaptorRequest, 'weights' | 'kind' | 'target'>,
  parts: SecondLookParts,
): Graph {
  const { settings } = parts;
  const { din } = settings.adaptor.draft;
  const tables = secondLookTables(parts, weights, kind);
  const g = new Graph('second-look', target);
  const encoded = g.input('encoder', 'float32', [1, 'frames', din]);
  const adaptor = { g, source: weights, at: 'adaptor.', kind };
  let draft = readDraft({ g, source: weights, at: 'draft.', kind }, encoded, settings, tables);
  for (let before = 1; before < settings.adaptor.looks; before++)
    draft = readAnswers(g, look(adaptor, parts, encoded, draft, tables), settings, tables, before);
  const { blank, classes } = look(adaptor, parts, encoded, draft, tables);
  const count = settings.vocab.length;
  const vectors = weighedRows(g, g.softmax(g.reshape(classes, [0, -1, count])), tables.llm);
  g.output('adaptor', vectors, [1, 'slots', tables.llm.columns]);
  g.output('labels', bestLabels(g, { blank, classes }), [1, 'slots']);
  return g;
}

/** Whisper's decoder over a draft, and what the blocks make of both. */
function look(
  adaptor: TrainedModule,
  { settings, whisper }: SecondLookParts,
  encoded: Value,
  { rows, soft }: Draft,
  tables: SecondLookTables,
): Answers {
  const { g } = adaptor;
  const { d } = settings.adaptor.draft;
  const expected = expectations(g, whisper, rows, encoded, tables, adaptor.kind);
  // Place i lies between token i − 1 and token i: behind the last there is none.
  const drafted = g.pad(soft, [
    [0, 0],
    [0, 1],
    [0, 0],
  ]);
  const both = g.add(
    linearOf(adaptor, rmsNorm(adaptor, expected, 'expected_norm'), 'expected', d),
    linearOf(adaptor, rmsNorm(adaptor, drafted, 'soft_norm'), 'soft', d, false),
  );
  const x = rmsNorm(adaptor, convBlocks(adaptor, both, { ...settings.adaptor, d }), 'norm');
  return slotScores(adaptor, x, expected, settings, tables);
}

/** What a look says, as a draft for the next. */
function readAnswers(
  g: Graph,
  answers: Answers,
  { adaptor: { longest_draft: longest }, vocab }: SecondLookSettings,
  tables: SecondLookTables,
  number: number,
): Draft {
  const labels = bestLabels(g, answers);
  const kept = newLabels(g, labels, longest, `answered${number}`);
  const believed = g.softmax(g.gather(g.reshape(answers.classes, [0, -1, vocab.length]), kept, 1));
  // The table's rows behind the classes' own are capitals and the prefix.
  const others = tables.words.rows - vocab.length;
  const weights = g.pad(believed, [
    [0, 0],
    [0, 0],
    [0, others],
  ]);
  return {
    rows: g.sub(g.gather(labels, kept, 1), g.int64s([1])),
    soft: weighedRows(g, weights, tables.words),
  };
}

/** The likelier of the blank, 0, and the classes, from 1, for each slot: i64 [1, slots]. */
function bestLabels(g: Graph, { blank, classes }: Answers): Value {
  return g.reshape(g.argMax(g.concat([blank, classes], -1), -1), [0, -1]);
}

/** Where a label is neither the blank nor the one before, the first `longest` of such places: i64 [tokens]. */
function newLabels(g: Graph, labels: Value, longest: number, name: string): Value {
  const before = g.concat([g.constant('int64', [1, 1], [0]), g.slice(labels, 1, 0, -1)], 1);
  const isNew = g.and(g.greater(labels, g.int64s([0])), g.not(g.equal(labels, before)));
  const places = g.slice(g.squeeze(g.nonZero(g.squeeze(isNew, 0), name), 0), 0, 0, longest);
  return { ...places, shape: [`${name}.tokens`] };
}

/** Frames whose label is neither the blank nor the label before, at most `longest_draft` of them. */
function readDraft(
  module: TrainedModule,
  encoded: Value,
  { adaptor: { draft, drafted, longest_draft: longest } }: SecondLookSettings,
  tables: SecondLookTables,
): Draft {
  const { g } = module;
  const normed = stackedBlocks(module, encoded, draft);
  const unit = unitVectors(g, linearOf(module, normed, 'out', draft.dl), 1e-12);
  const cosines = g.mul(product(g, unit, tables.drafted), g.weight('draft.scales', tables.draftScales));
  const classes = g.add(cosines, weightOf(module, 'bias', [drafted.length]));
  const labels = g.argMax(g.concat([linearOf(module, normed, 'blank', 1), classes], -1), -1);
  const kept = newLabels(g, labels, longest, 'drafted');
  const rows = g.weight('draft.rows', wholeNumbers(drafted));
  return {
    rows: g.gather(rows, g.sub(g.gather(labels, kept, 1), g.int64s([1]))),
    soft: weighedRows(g, g.softmax(g.gather(classes, kept, 1)), tables.drafted),
  };
}

/** What Whisper's decoder expects at the start and behind each token of the draft: f32 [1, tokens + 1, d]. */
function expectations(
  g: Graph,
  whisper: TensorSource,
  rows: Value,
  encoded: Value,
  { words, prefix }: SecondLookTables,
  kind: TrainedModule['kind'],
): Value {
  const ids = g.concat([g.constant('int64', [1, prefix.length], prefix), rows], 1);
  const states = readByWhisper(g, whisper, lookUp(g, words, ids), encoded, kind);
  return { ...g.slice(states, 1, prefix.length - 1), shape: [1, 'places', words.columns] };
}

/** x and `expected` f32 [1, places, d] → the blank's score f32 [1, places, slots, 1] and the classes' [1, places, slots, classes]. */
function slotScores(
  module: TrainedModule,
  x: Value,
  expected: Value,
  { adaptor: { slots, draft } }: SecondLookSettings,
  { words, capitals, scales }: SecondLookTables,
): Answers {
  const { g } = module;
  const count = capitals.length;
  const answers = unitVectors(
    g,
    g.reshape(linearOf(module, x, 'out', slots * draft.d), [0, -1, draft.d]),
    1e-6,
  );
  // One product with the table for what is expected and what is answered.
  const all = product(g, g.concat([expected, answers], 1), words);
  const places = g.shapeOf(expected, 1, 2);
  const lengths = g.concat([places, g.mul(places, g.int64s([slots]))], 0);
  const [onExpected, onAnswers] = g.splitAt(all, lengths, 1, ['places', 'slots']);
  const cosines = g.reshape(g.slice(onAnswers, 2, 0, count), [0, -1, slots, count]);
  const capitalRows = g.weight('whisper.capitals', wholeNumbers(capitals));
  const expectedLogs = g.logSoftmax(
    logAddExp(g, g.slice(onExpected, 2, 0, count), g.gather(onExpected, capitalRows, 2)),
  );
  const perSlot = (name: string) => g.unsqueeze(linearOf(module, x, name, slots), -1);
  const trusted = g.mul(g.softplus(perSlot('trust')), g.unsqueeze(expectedLogs, 2));
  const similar = g.mul(cosines, g.weight('adaptor.scales', scales));
  const classes = g.add(g.add(similar, trusted), weightOf(module, 'bias', [count]));
  return { blank: perSlot('blank'), classes };
}

/** log(eᵃ + eᵇ), without either overflowing. */
function logAddExp(g: Graph, a: Value, b: Value): Value {
  return g.add(g.max(a, b), g.softplus(g.neg(g.abs(g.sub(a, b)))));
}

function unitVectors(g: Graph, x: Value, least: number): Value {
  return g.div(x, g.max(g.reduceL2(x, -1), g.constant('float32', [], [least])));
}

function wholeNumbers(values: readonly number[]): Weight {
  return { type: 'int64', shape: [values.length], read: () => bytesOf(BigInt64Array.from(values, BigInt)) };
}
