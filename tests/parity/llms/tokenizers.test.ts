import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import { folderText } from '../../../native-models/tokenizers/folder-text.ts';
import { ggufText } from '../../../native-models/tokenizers/gguf-text.ts';
import { readSentencePiece } from '../../../native-models/tokenizers/sentencepiece-model.ts';
import { withinVocabulary } from '../../../native-models/tokenizers/within-vocabulary.ts';
import { type GgufMetadata, writeGguf } from '../../fixtures/llms/tiny-gguf.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/llms/${name}`, import.meta.url));
const ids = z.array(z.array(z.number()));
const golden = z
  .object({
    texts: z.array(z.string()),
    llama: z.object({ pad: z.number(), each: ids, first: ids }),
    gemma: ids,
    unigram: ids,
    byteLevel: z.object({
      tokens: z.array(z.string()),
      merges: z.array(z.string()),
      ids: z.record(z.string(), ids),
    }),
  })
  .parse(JSON.parse(readFileSync(fixture('tokenizers.json'), 'utf8')));

/** A folder with a tokenizer.model and other files. */
function folderOf(model: string, files: Readonly<Record<string, object>> = {}): string {
  const folder = temporaryFolder();
  copyFileSync(fixture(model), join(folder, 'tokenizer.model'));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content));
  return folder;
}

function expectIds(tokenizer: object | null, expected: readonly number[][]): Tokenizer {
  expect(tokenizer).not.toBeNull();
  const made = new Tokenizer(tokenizer ?? {}, { clean_up_tokenization_spaces: false });
  golden.texts.forEach((text, i) => {
    const { ids } = made.encode(text, { add_special_tokens: false });
    expect(ids, JSON.stringify(text)).toEqual(expected[i]);
  });
  return made;
}

const padded = { 'added_tokens.json': { '[PAD]': golden.llama.pad } };

describe('tokenizer.model as tokenizer.json: the ids of SentencePiece', () => {
  it('a space before every stretch, as LLaMA was trained', () => {
    const { tokenizer } = folderText(folderOf('llama.model', padded));
    const made = expectIds(tokenizer, golden.llama.each);
    for (const text of ['the cat', 'é 日本 😀', ' two  spaces '])
      expect(made.decode(made.encode(text, { add_special_tokens: false }).ids, {})).toBe(text);
  });

  it('a space before the first stretch alone, where the settings say so; added tokens by either file', () => {
    const settings = {
      legacy: false,
      added_tokens_decoder: { [golden.llama.pad]: { content: '[PAD]', special: true } },
    };
    const { tokenizer } = folderText(folderOf('llama.model', { 'tokenizer_config.json': settings }));
    expectIds(tokenizer, golden.llama.first);
  });

  it('no space, and pieces of the users own, as Gemma has them', () => {
    expectIds(folderText(folderOf('gemma.model')).tokenizer, golden.gemma);
  });

  it('a unigram model', () => {
    expectIds(folderText(folderOf('unigram.model')).tokenizer, golden.unigram);
  });
});

describe('tokens that the model has no row for', () => {
  it('are text like any other', () => {
    const text = folderText(
      folderOf('llama.model', { ...padded, 'config.json': { eos_token_id: [2, 900] } }),
    );
    const { tokenizer, eosTokens } = withinVocabulary(text, golden.llama.pad);
    expect(eosTokens).toEqual([2]);
    const made = new Tokenizer(tokenizer ?? {}, {});
    const { ids } = made.encode('one[PAD]two', { add_special_tokens: false });
    expect(Math.max(...ids)).toBeLessThan(golden.llama.pad);
    expect(made.decode(ids, {})).toBe('one[PAD]two');
    expect(withinVocabulary(text, golden.llama.pad + 1).tokenizer).toBe(text.tokenizer);
  });
});

describe('tokens of a GGUF file as tokenizer.json', () => {
  function ggufOf(metadata: GgufMetadata): Gguf {
    return new Gguf(writeGguf({ 'general.architecture': 'llama', ...metadata }, []));
  }

  function scored(model: string, more: GgufMetadata): object | null {
    const { pieces } = readSentencePiece(fixture(model));
    const added = model === 'llama.model' ? [{ text: '[PAD]', score: -1000, kind: 3 }] : [];
    const all = [...pieces, ...added];
    using gguf = ggufOf({
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': all.map(({ text }) => text),
      'tokenizer.ggml.scores': { floats: all.map(({ score }) => score) },
      'tokenizer.ggml.token_type': all.map(({ kind }) => kind),
      ...more,
    });
    return ggufText(gguf).tokenizer;
  }

  it('scores of SentencePiece', () => {
    expectIds(scored('llama.model', {}), golden.llama.each);
    const unprefixed = { 'tokenizer.ggml.add_space_prefix': false, 'tokenizer.ggml.unknown_token_id': 3 };
    expectIds(scored('gemma.model', unprefixed), golden.gemma);
  });

  for (const [name, expected] of Object.entries(golden.byteLevel.ids))
    it(`byte-level merges, cut as ${name}`, () => {
      using gguf = ggufOf({
        'tokenizer.ggml.model': 'gpt2',
        'tokenizer.ggml.pre': name,
        'tokenizer.ggml.tokens': golden.byteLevel.tokens,
        'tokenizer.ggml.token_type': golden.byteLevel.tokens.map((_, id) => (id < 2 ? 3 : 1)),
        'tokenizer.ggml.merges': golden.byteLevel.merges,
        'tokenizer.ggml.eos_token_id': 1,
      });
      expectIds(ggufText(gguf).tokenizer, expected);
    });
});
