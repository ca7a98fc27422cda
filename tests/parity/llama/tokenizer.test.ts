import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { tokenizerOf } from '../../../native-models/tokenizers/gguf-tokenizer.ts';
import { openWeights } from './built-model.ts';

const golden = z
  .object({ tokens: z.array(z.object({ text: z.string(), ids: z.array(z.number()) })) })
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/llama/golden.json', import.meta.url), 'utf8')));

it('the tokenizer of the published file cuts texts as the original does: special tokens, numbers, scripts, spaces', () => {
  using gguf = openWeights();
  const tokenizer = new Tokenizer(tokenizerOf(gguf), { clean_up_tokenization_spaces: false });
  expect(golden.tokens.length).toBeGreaterThan(70);
  for (const { text, ids } of golden.tokens) {
    expect(tokenizer.encode(text, { add_special_tokens: false }).ids, JSON.stringify(text)).toEqual(ids);
    if (ids.length > 0) expect(tokenizer.decode(ids, { skip_special_tokens: false })).toBe(text);
  }
});
