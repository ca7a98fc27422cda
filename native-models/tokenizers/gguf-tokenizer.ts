import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { invalidFile } from '../formats/binary-file.ts';
import type { Gguf } from '../formats/gguf.ts';

/** llama.cpp's kinds of tokens that stand for themselves in a text, and are found before anything else. */
const tokenType = { control: 3, userDefined: 4 } as const;

/** How text is cut before the byte-pair merges, by the name that llama.cpp gives the cut. */
const cuts: Readonly<Record<string, readonly object[]>> = {
  // GPT-2's words: letters, digits or signs, each with the space before it.
  'gpt-2': [byteLevel(true)],
  // The same, every number character by itself, ½ and ٣ included.
  smollm: [
    { type: 'Split', pattern: { Regex: '\\p{N}' }, behavior: 'Isolated', invert: false },
    byteLevel(true),
  ],
};

function byteLevel(useRegex: boolean) {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

/**
 * The tokenizer of a GGUF file in the `tokenizer.json` format of Hugging Face: byte-level BPE (GPT-2). Adds no tokens of its own:
 * beginnings and ends are the chat template's. Throws `not-supported` or `file-invalid`.
 */
export function tokenizerOf(gguf: Gguf): object {
  const read = <T extends z.ZodType>(key: string, schema: T) =>
    gguf.metadata(`tokenizer.ggml.${key}`, schema);
  const model = read('model', z.string());
  const cut = read('pre', z.string().default('gpt-2'));
  const preTokenizers = cuts[cut];
  if (model !== 'gpt2' || preTokenizers === undefined)
    throw new ModelError(
      'not-supported',
      `${gguf.path} has a tokenizer of kind ${model}, ${cut}.`,
      `Byte-level BPE is read, cut as ${Object.keys(cuts).join(' or ')}.`,
    );
  const tokens = read('tokens', z.array(z.string()));
  const types = read('token_type', z.array(z.number()).default([]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) => addedToken(content, id, types[id])),
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: preTokenizers },
    post_processor: null,
    decoder: byteLevel(true),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabularyOf(gguf, tokens),
      merges: read('merges', z.array(z.string())).map((merge) => mergeOf(gguf, merge)),
    },
  };
}

function addedToken(content: string, id: number, type: number | undefined): object[] {
  if (type !== tokenType.control && type !== tokenType.userDefined) return [];
  const special = type === tokenType.control;
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
