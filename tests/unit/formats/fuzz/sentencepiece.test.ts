import { expect, it } from 'vitest';
import { readSentencePiece } from '../../../../native-models/tokenizers/sentencepiece-model.ts';
import { sentencePieceTokenizer } from '../../../../native-models/tokenizers/sentencepiece-tokenizer.ts';
import { busyMachine, filesPerReader, fuzzFiles, type Sample } from './fuzz-reader.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { type MessageTree, messageOf, mutateMessage } from './mutate-message.ts';
import { awkwardNames, type Random } from './random.ts';

/** A piece, whose score is a float of 4 bytes. */
const scored = (text: string, score: number, kind: number): Uint8Array =>
  messageOf([[1, text]])
    .float(2, score)
    .integer(3, kind)
    .finish();

function modelTree(random: Random): MessageTree {
  const pieces = ['<unk>', '<s>', '</s>', '<0x41>', '▁', 'a', 'b', '▁a', 'ab', random.pick(awkwardNames)];
  const score = () => random.pick([0, -1, -2.5, Number.NaN, Number.NEGATIVE_INFINITY]);
  const kinds = [2, 3, 3, 6];
  return [
    ...pieces.map((text, i) => [1, scored(text, score(), kinds[i] ?? 1)] as const),
    [
      2,
      [
        [3, random.pick([1, 2, 2, 2, 3])],
        [35, 1],
        [40, 0],
      ],
    ],
    [
      3,
      [
        [2, random.bytes(8)],
        [3, 1],
        [4, 0],
      ],
    ],
  ];
}

function sample(random: Random): Sample {
  let tree = modelTree(random);
  for (let left = random.below(4); left > 0; left--) tree = mutateMessage(tree, random);
  const whole = messageOf(tree).finish();
  const bytes = random.chance(0.3) ? mutateBytes(whole, random) : whole;
  return { path: '/m/tokenizer.model', files: { '/m/tokenizer.model': bytes } };
}

it(
  `${filesPerReader} mutated SentencePiece models become tokenizers or are refused`,
  () => {
    const { opened, refused } = fuzzFiles(sample, 7_000_000, (path, access) => {
      const model = readSentencePiece(path, access);
      expect(model.pieces.length).toBeGreaterThan(0);
      JSON.stringify(sentencePieceTokenizer(model, { path, added: [], prefix: 'each' }));
    });
    expect(Math.min(opened, refused)).toBeGreaterThan(1000);
  },
  busyMachine,
);
