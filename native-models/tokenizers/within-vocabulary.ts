import { z } from 'zod';
import type { ModelText } from './model-text.ts';

const addedSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.number().int().nonnegative() })),
});

/**
 * Leaves out added tokens for which the model has no row: files often carry one for padding, which the token table was never made
 * larger for. Found in a text, it would be asked for all the same.
 */
export function withinVocabulary(text: ModelText, vocabulary: number): ModelText {
  const { bosToken, eosTokens } = text;
  const isThere = (id: number) => id < vocabulary;
  return {
    ...text,
    tokenizer: text.tokenizer === null ? null : withoutOthers(text.tokenizer, isThere),
    bosToken: bosToken === null || !isThere(bosToken) ? null : bosToken,
    eosTokens: eosTokens.filter(isThere),
  };
}

function withoutOthers(tokenizer: object, isThere: (id: number) => boolean): object {
  const read = addedSchema.safeParse(tokenizer);
  if (!read.success || read.data.added_tokens.every(({ id }) => isThere(id))) return tokenizer;
  return { ...tokenizer, added_tokens: read.data.added_tokens.filter(({ id }) => isThere(id)) };
}
