import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigFields, languageModelParts, readJsonFile, readTextFile } from '../formats/config-fields.ts';
import { addedTokensOf } from './added-tokens.ts';
import type { ModelText } from './model-text.ts';
import { readSentencePiece } from './sentencepiece-model.ts';
import { sentencePieceTokenizer } from './sentencepiece-tokenizer.ts';

const id = z.number().int().nonnegative();
const ids = z.union([id.transform((only) => [only]), z.array(id).max(64)]);

const templatesSchema = z.union([
  z.string(),
  z.array(z.object({ name: z.string(), template: z.string() })).max(64),
]);

/**
 * Tokenizer, marker tokens and chat template of a Hugging Face folder: tokenizer.json, or tokenizer.model made into one;
 * generation_config.json, config.json and tokenizer_config.json. Throws `file-invalid` or `not-supported`.
 */
export function folderText(folder: string): ModelText {
  const read = (name: string) => {
    const json = readJsonFile(join(folder, name));
    return json === null ? null : new ConfigFields(join(folder, name), json);
  };
  const settings = read('tokenizer_config.json');
  const tokenizer = tokenizerOf(folder, settings);
  const config = read('config.json');
  const generation = read('generation_config.json');
  const named = (key: string) => tokenId(tokenizer, settings?.read(key, tokenName));
  const inner = config === null ? [] : languageModelParts(config);
  const places = [generation, ...inner, config].filter((place) => place !== null);
  // The tokenizer's own comes first: chat templates mean it by `eos_token`.
  const eosTokens = [
    ...(named('eos_token') ?? []),
    ...places.flatMap((place) => place.read('eos_token_id', ids.optional()) ?? []),
  ];
  const bosTokens = places.flatMap((place) => place.read('bos_token_id', id.optional()) ?? []);
  return {
    tokenizer,
    bosToken: bosTokens[0] ?? named('bos_token')?.[0] ?? null,
    eosTokens: [...new Set(eosTokens)],
    chatTemplate: chatTemplate(folder, settings),
  };
}

const tokenName = z
  .union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)])
  .optional();

function tokenizerOf(folder: string, settings: ConfigFields | null): object | null {
  const path = join(folder, 'tokenizer.json');
  const json = readJsonFile(path);
  if (json !== null) {
    new ConfigFields(path, json).read('model', z.record(z.string(), z.unknown()));
    return z.looseObject({}).parse(json);
  }
  const pieces = join(folder, 'tokenizer.model');
  if (!existsSync(pieces)) return null;
  const model = readSentencePiece(pieces);
  const prefixed = settings?.read('add_prefix_space', z.boolean().optional()) ?? model.addPrefix;
  // transformers calls it legacy to put a space after every special token too; so did it when those models were trained.
  const first = settings?.read('legacy', z.boolean().optional()) === false;
  return sentencePieceTokenizer(model, {
    path: pieces,
    added: addedTokensOf(folder, settings),
    prefix: !prefixed ? 'none' : first ? 'first' : 'each',
  });
}

const addedTokensSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id, content: z.string() })).default([]),
});

/** The id of a special token, by its text. */
function tokenId(tokenizer: object | null, content: string | undefined): number[] | null {
  const known = addedTokensSchema.safeParse(tokenizer);
  if (content === undefined || !known.success) return null;
  const found = known.data.added_tokens.find((token) => token.content === content);
  return found === undefined ? null : [found.id];
}

/** As a file of its own, or in tokenizer_config.json, as one text or as several by name. */
function chatTemplate(folder: string, settings: ConfigFields | null): string {
  const alone = readTextFile(join(folder, 'chat_template.jinja'));
  if (alone !== null) return alone;
  const path = join(folder, 'chat_template.json');
  const json = readJsonFile(path);
  const places = [json === null ? null : new ConfigFields(path, json), settings];
  for (const place of places) {
    const found = place?.read('chat_template', templatesSchema.optional());
    if (typeof found === 'string') return found;
    const [first] = found ?? [];
    const usual = found?.find(({ name }) => name === 'default') ?? first;
    if (usual !== undefined) return usual.template;
  }
  return '';
}
