import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { lookUp, weighedRows } from '../../layers/weight-product.ts';
import { readByWhisper } from '../encoders/whisper-reading.ts';
import { whisperSizes } from '../encoders/whisper-sizes.ts';
import type { AdaptorRequest } from './adaptor.ts';
import { convBlocks, linearOf, rmsNorm, type TrainedModule } from './conv-blocks.ts';
import { changedDecoder } from './second-look-decoder.ts';
import { type Draft, draftOf, type Reading, readingOf, unitVectors } from './second-look-draft.ts';
import { type Scores, scoresOf } from './second-look-scores.ts';
import type { SecondLookParts } from './second-look-settings.ts';
import { type SecondLookTables, secondLookTables } from './second-look-tables.ts';

/** What all looks of one graph share. */
interface Looker {
  readonly adaptor: TrainedModule;
  readonly parts: SecondLookParts;
  readonly decoder: TensorSource;
  readonly tables: SecondLookTables;
  /** f32 [1, frames, din] */
  readonly encoded: Value;
  readonly draft: Draft;
}

/**
 * `encoder` f32 [1, frames, din] → `adaptor` f32 [1, stacks, dl] and `labels` i64 [1, stacks], of stacks of frames.
 *
 * CTC draft over Whisper's token embeddings → Whisper's decoder, changed by a LoRA, once over the draft behind its prefix → at each
 * place before, between and behind its tokens: linear(norm(what the decoder expects)) and linear(norm(the token drafted)), of the
 * token before and of the one to come → blocks → at each stack: linear(what the draft made of it) + what was made of the place
 * where it lies → blocks → norm → whether the stack says nothing, and the classes' scores where it does not:
 * cosine · τ + trust · log of what is expected here + trust · log of what is expected next + bias. A vector is the expected
 * embedding over the classes; that of a stack which says nothing is no one's. With more looks than one, what a look says, blanks
 * and repeats left out, is read by the decoder in place of the draft.
 */
export function secondLook(
  { weights, kind, target }: Pick<AdaptorRequest, 'weights' | 'kind' | 'target'>,
  parts: SecondLookParts,
): Graph {
  const { settings } = parts;
  const { looks, longest_draft: longest, draft: sizes } = settings.adaptor;
  const tables = secondLookTables(parts, weights, kind);
  const g = new Graph('second-look', target);
  const encoded = g.input('encoder', 'float32', [1, 'frames', sizes.din]);
  const drafted = draftOf({ g, source: weights, at: 'draft.', kind }, encoded, settings, tables);
  const adaptor = { g, source: weights, at: 'adaptor.', kind };
  const { decoder_rank: rank, decoder_alpha: alpha } = settings.adaptor;
  const decoder = changedDecoder(parts.whisper, weights, { rank, alpha });
  const looker = { adaptor, parts, decoder, tables, encoded, draft: drafted.draft };
  let scores = look(looker, drafted.reading, 1);
  for (let number = 2; number <= looks; number++)
    scores = look(looker, readAnswers(g, scores, tables, longest, number), number);
  const vectors = weighedRows(g, g.softmax(scores.classes), tables.llm);
  const stacks = [1, 'stacks'] as const;
  g.output('adaptor', g.gather(vectors, scores.row, 1), [...stacks, tables.llm.columns]);
  g.output('labels', scores.labels, stacks);
  return g;
}

/** Whisper's decoder over what was said last, and what the blocks make of it and the sound. */
function look(looker: Looker, reading: Reading, number: number): Scores {
  const { adaptor, parts, tables, draft } = looker;
  const { g } = adaptor;
  const { settings } = parts;
  const { d } = settings.adaptor.draft;
  const expected = expectations(looker, reading.rows);
  const normed = rmsNorm(adaptor, expected, 'expected_norm');
  const believed = rmsNorm(adaptor, reading.believed, 'believed_norm');
  const linear = (x: Value, name: string) => linearOf(adaptor, x, name, d, false);
  // Place i lies behind token i: what is expected there comes next, what was expected a place before is here.
  const here = g.add(linear(g.slice(normed, 1, 0, -1), 'expected_here'), linear(believed, 'believed_here'));
  const coming = g.add(linear(normed, 'expected_next'), beside(g, linear(believed, 'believed_next'), [0, 1]));
  const places = { ...g.add(coming, beside(g, here, [1, 0])), shape: [1, 'places', d] };
  const sizes = { ...settings.adaptor, d };
  const blocks = settings.adaptor.reading_blocks;
  const weighed = convBlocks(adaptor, places, { ...sizes, blocks }, 'reading');
  const told = { ...g.gather(weighed, reading.read, 1), shape: draft.hidden.shape };
  const both = g.add(linearOf(adaptor, draft.hidden, 'heard', d), told);
  const x = rmsNorm(adaptor, convBlocks(adaptor, both, sizes), 'norm');
  const directions = unitVectors(g, g.add(draft.directions, linearOf(adaptor, x, 'out', d)));
  return scoresOf(adaptor, { x, directions, expected, reading, draft, tables, number });
}

/** x f32 [1, tokens, d] with rows of zeros before and behind it. */
function beside(g: Graph, x: Value, [before, behind]: readonly [number, number]): Value {
  const padded = g.pad(x, [
    [0, 0],
    [before, behind],
    [0, 0],
  ]);
  return { ...padded, shape: [1, 'places', x.shape[2] ?? 0] };
}

/** What a look says, for the next to read. */
function readAnswers(
  g: Graph,
  { classes, labels, row }: Scores,
  { words }: SecondLookTables,
  longest: number,
  number: number,
): Reading {
  const { kept, read } = readingOf(g, labels, longest, `read${number}`);
  const believed = g.softmax(g.gather(classes, g.gather(row, kept), 1));
  // The table's rows behind the classes' own are capitals and the prefix.
  const others = words.rows - Number(classes.shape[2]);
  const weights = g.pad(believed, [
    [0, 0],
    [0, 0],
    [0, others],
  ]);
  const rows = g.sub(g.gather(labels, kept, 1), g.int64s([1]));
  return { rows, believed: weighedRows(g, weights, words), read };
}

/** What Whisper's decoder expects at the start and behind each token: f32 [1, tokens + 1, d]. */
function expectations({ adaptor, parts, decoder, encoded, tables }: Looker, rows: Value): Value {
  const { g, kind } = adaptor;
  const { words, prefix } = tables;
  const ids = g.concat([g.constant('int64', [1, prefix.length], prefix), rows], 1);
  const states = readByWhisper(g, decoder, lookUp(g, words, ids), encoded, whisperSizes(parts.whisper), kind);
  return { ...g.slice(states, 1, prefix.length - 1), shape: [1, 'places', words.columns] };
}
