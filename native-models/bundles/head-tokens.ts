import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { ModelError } from '../errors.ts';
import type { BundleManifest } from './manifest.ts';
import { readJson } from './sources.ts';

type Llm = NonNullable<BundleManifest['llm']>;

/**
 * An adaptor with labels names the LLM's tokens, and compares sound with their embeddings or gives them, which stand in its graph.
 * Under another LLM that reads the same tokens it goes on with the old ones, which `onNote` is told; under one that has other
 * tokens in their places it would write nonsense. Throws `not-supported` then.
 */
export function refuseOtherHeadTokens(
  oldFolder: string,
  { adaptor, llm: old }: BundleManifest,
  newFolder: string,
  other: Llm,
  onNote: ((text: string) => void) | undefined,
): void {
  const named = adaptor?.ctcTokens ?? [];
  if (named.length === 0) return;
  const before = tokensOf(oldFolder, old);
  const now = tokensOf(newFolder, other);
  const different =
    before === null || now === null ? named : named.filter((token) => before(token) !== now(token));
  if (different.length > 0)
    throw new ModelError(
      'not-supported',
      `The adaptor's head writes tokens of the LLM that it was trained with, and the other LLM has ${different.length} of those ${named.length} otherwise.`,
      'Name an LLM with the same tokenizer, or train an adaptor for this one.',
    );
  onNote?.('The adaptor goes on with the embeddings of the LLM that it was trained with.');
}

/** The text of a token by its id; null for an LLM without a tokenizer. */
function tokensOf(folder: string, llm: Llm | null): ((token: number) => string | undefined) | null {
  if (llm === null || llm.tokenizer === null) return null;
  const tokenizer = new Tokenizer(Object(readJson(join(folder, llm.tokenizer))), {
    clean_up_tokenization_spaces: false,
  });
  return (token) => tokenizer.id_to_token(token);
}
