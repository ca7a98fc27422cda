import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { invalidFile } from '../formats/binary-file.ts';
import type { Gguf } from '../formats/gguf.ts';
import { byteLevelCuts } from './byte-level-cuts.ts';
import { type Piece, pieceKind } from './sentencepiece-model.ts';
import { sentencePieceTokenizer } from './sentencepiece-tokenizer.ts';

/**
 * The tokenizer of a GGUF file in the `tokenizer.json` format of Hugging Face: byte-level BPE (`gpt2`) or SentencePiece (`llama`).
 * Adds no tokens of its own: beginnings and ends are the chat template's. Throws `not-supported` or `file-invalid`.
 */
export function tokenizerOf(gguf: Gguf): object {
  const model = gguf.metadata('tokenizer.ggml.model', z.string());
  if (model === 'gpt2') return byteLevelTokenizer(gguf);
  if (model === 'llama') return scoredTokenizer(gguf);
  throw new ModelError(
    'not-supported',
    `${gguf.path} has a tokenizer of kind ${model}.`,
    'Byte-level BPE (gpt2) and SentencePiece (llama) are read.',
  );
}

function byteLevelTokenizer(gguf: Gguf): object {
  const name = gguf.metadata('tokenizer.ggml.pre', z.string().default('gpt-2'));
  const cut = byteLevelCuts.get(name);
  if (cut === undefined)
    throw new ModelError(
      'not-supported',
      `${gguf.path} has a tokenizer of kind gpt2, ${name}.`,
      `Byte-level BPE is read, cut as ${[...byteLevelCuts.keys()].join(', ')}.`,
    );
  const tokens = tokensOf(gguf);
  const types = typesOf(gguf);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) => addedToken(content, id, types[id])),
    normalizer: cut.compose ? { type: 'NFC' } : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: cut.preTokenizers },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: cut.ignoreMerges,
      vocab: vocabularyOf(gguf, tokens),
      merges: gguf
        .metadata('tokenizer.ggml.merges', z.array(z.string()))
        .map((merge) => mergeOf(gguf, merge)),
    },
  };
}

/** llama.cpp's `llama`: SentencePiece's BPE by scores, with bytes for characters that have no piece. */
function scoredTokenizer(gguf: Gguf): object {
  const scores = gguf.metadata('tokenizer.ggml.scores', z.array(z.number()));
  const types = typesOf(gguf);
  const pieces = tokensOf(gguf).map(
    (text, id): Piece => ({ text, score: scores[id] ?? 0, kind: types[id] ?? pieceKind.normal }),
  );
  const id = z.number().int().nonnegative();
  const model = {
    algorithm: 'bpe' as const,
    ...{ pieces, byteFallback: true, characterMap: new Uint8Array() },
    unknownId: gguf.metadata('tokenizer.ggml.unknown_token_id', id.default(0)),
    addPrefix: gguf.metadata('tokenizer.ggml.add_space_prefix', z.boolean().default(true)),
    removeExtraSpaces: gguf.metadata('tokenizer.ggml.remove_extra_whitespaces', z.boolean().default(false)),
  } as const;
  const prefix = model.addPrefix ? 'each' : 'none';
  return sentencePieceTokenizer(model, { path: gguf.path, added: [], prefix });
}

function tokensOf(gguf: Gguf): string[] {
  return gguf.metadata('tokenizer.ggml.tokens', z.array(z.string()));
}

function typesOf(gguf: Gguf): number[] {
  return gguf.metadata('tokenizer.ggml.token_type', z.array(z.number()).default([]));
}

/** Tokens that stand for themselves in a text, and are found before anything else. */
function addedToken(content: string, id: number, type: number | undefined): object[] {
  if (type !== pieceKind.control && type !== pieceKind.userDefined) return [];
  const special = type === pieceKind.control;
  return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
}

function vocabularyOf(gguf: Gguf, tokens: readonly string[]): Record<string, number> {
  // No prototype: a token may be called `__proto__`.
  const vocabulary: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    if (vocabulary[token] !== undefined)
      throw invalidFile(gguf.path, `its tokens ${vocabulary[token]} and ${id} are the same`);
    vocabulary[token] = id;
  });
  return vocabulary;
}

function mergeOf(gguf: Gguf, merge: string): [string, string] {
  const [left, right, ...more] = merge.split(' ');
  if (left === undefined || right === undefined || more.length > 0)
    throw invalidFile(gguf.path, `its tokenizer's merge "${merge.slice(0, 40)}" is not two pieces`);
  return [left, right];
}
