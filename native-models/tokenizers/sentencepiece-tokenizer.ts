import { ModelError } from '../errors.ts';
import { invalidFile } from '../formats/binary-file.ts';
import { type Piece, pieceKind, type SentencePieceModel } from './sentencepiece-model.ts';

/** A token that stands for itself in a text and is found before anything else. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for once spaces have become `▁`, instead of in the text as it comes. */
  readonly normalized: boolean;
}

export interface SentencePieceOptions {
  /** For errors. */
  readonly path: string;
  /** Beyond the model's own control and user-defined pieces; one of the same id takes its place. */
  readonly added: readonly AddedToken[];
  /** Whether a space goes before a text: before every stretch between special tokens (`each`), the first alone, or none. */
  readonly prefix: 'each' | 'first' | 'none';
}

const space = '▁';

/**
 * A SentencePiece model in the `tokenizer.json` format of Hugging Face. BPE scores become an order of merges, as transformers
 * makes it. Adds no tokens of its own: beginnings and ends are the chat template's. Throws `not-supported` or `file-invalid`.
 */
export function sentencePieceTokenizer(model: SentencePieceModel, options: SentencePieceOptions): object {
  const { path, prefix } = options;
  if (model.algorithm === 'other' || (model.algorithm === 'unigram' && model.byteFallback))
    throw new ModelError(
      'not-supported',
      `${path} is SentencePiece of a kind that is not read: ${model.algorithm}${model.byteFallback ? ' with bytes for unknown characters' : ''}.`,
      'It reads BPE, and unigram models without bytes.',
    );
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(model.pieces, options.added),
    normalizer: normalizerOf(model, prefix),
    pre_tokenizer:
      prefix === 'first'
        ? { type: 'Metaspace', replacement: space, prepend_scheme: 'first', split: false }
        : null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: space }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix === 'none' ? [] : [{ type: 'Strip', content: ' ', start: 1, stop: 0 }]),
      ],
    },
    model: model.algorithm === 'bpe' ? bpeModel(model, path) : unigramModel(model),
  };
}

function normalizerOf(model: SentencePieceModel, prefix: SentencePieceOptions['prefix']): object {
  const { characterMap, removeExtraSpaces } = model;
  const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
  const steps = [
    ...(characterMap.length > 0
      ? [{ type: 'Precompiled', precompiled_charsmap: Buffer.from(characterMap).toString('base64') }]
      : []),
    ...(removeExtraSpaces
      ? [{ type: 'Strip', strip_left: true, strip_right: true }, replace({ Regex: ' {2,}' }, ' ')]
      : []),
    ...(prefix === 'each' ? [{ type: 'Prepend', prepend: space }] : []),
    replace({ String: ' ' }, space),
  ];
  return { type: 'Sequence', normalizers: steps };
}

/** Control pieces are special; user-defined ones are text that is never cut. */
function addedTokens(pieces: readonly Piece[], more: readonly AddedToken[]): object[] {
  const tokens = new Map<number, AddedToken>();
  pieces.forEach(({ text, kind }, id) => {
    if (kind !== pieceKind.control && kind !== pieceKind.userDefined && kind !== pieceKind.unknown) return;
    const special = kind !== pieceKind.userDefined;
    tokens.set(id, {
      id,
      content: text,
      special,
      lstrip: false,
      rstrip: false,
      normalized: text.includes(space),
    });
  });
  for (const token of more) tokens.set(token.id, token);
  return [...tokens.values()]
    .toSorted((a, b) => a.id - b.id)
    .map((token) => ({ single_word: false, ...token }));
}

function unigramModel({ pieces, unknownId }: SentencePieceModel): object {
  return {
    type: 'Unigram',
    unk_id: unknownId,
    byte_fallback: false,
    vocab: pieces.map(({ text, score }) => [text, score]),
  };
}

function bpeModel({ pieces, unknownId, byteFallback }: SentencePieceModel, path: string): object {
  // No prototype: a piece may be called `__proto__`.
  const vocab: Record<string, number> = Object.create(null);
  pieces.forEach(({ text }, id) => {
    if (vocab[text] !== undefined)
      throw invalidFile(path, `its tokens ${vocab[text]} and ${id} are the same`);
    vocab[text] = id;
  });
  return {
    type: 'BPE',
    dropout: null,
    unk_token: pieces[unknownId]?.text ?? null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: false,
    vocab,
    merges: mergesByScore(pieces, new Map(pieces.map(({ text }, id) => [text, id]))),
  };
}

interface Merge {
  readonly left: string;
  readonly right: string;
  readonly score: number;
  readonly leftLength: number;
  readonly rightLength: number;
}

/**
 * SentencePiece joins whatever two neighbours make the piece of the highest score. Merges in that order do the same: each piece
 * as every two others that it can be made of, those with the longer left part first.
 */
function mergesByScore(pieces: readonly Piece[], ids: ReadonlyMap<string, number>): [string, string][] {
  const merges: Merge[] = [];
  for (const { text, score, kind } of pieces) {
    if (kind !== pieceKind.normal && kind !== pieceKind.userDefined) continue;
    const characters = Array.from(text);
    const splits: Merge[] = [];
    for (let at = 1; at < characters.length; at++) {
      const [left, right] = [characters.slice(0, at).join(''), characters.slice(at).join('')];
      if (ids.has(left) && ids.has(right))
        splits.push({ left, right, score, leftLength: at, rightLength: characters.length - at });
    }
    const id = (text: string) => ids.get(text) ?? 0;
    merges.push(...splits.sort((a, b) => id(a.left) - id(b.left) || id(a.right) - id(b.right)));
  }
  return merges
    .sort((a, b) => b.score - a.score || b.leftLength - a.leftLength || b.rightLength - a.rightLength)
    .map(({ left, right }) => [left, right]);
}
