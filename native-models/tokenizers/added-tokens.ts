import { join } from 'node:path';
import { z } from 'zod';
import { ConfigFields, readJsonFile } from '../formats/config-fields.ts';
import type { AddedToken } from './sentencepiece-tokenizer.ts';

const id = z
  .number()
  .int()
  .nonnegative()
  .max(1 << 24);
const mostTokens = 1 << 16;

const describedSchema = z.object({
  content: z.string(),
  special: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(false),
});

const specialSchema = z.union([
  z.string(),
  z.object({ content: z.string() }).transform(({ content }) => content),
]);

/**
 * Tokens that a folder adds to its tokenizer.model: `added_tokens_decoder` of tokenizer_config.json says all about them; the older
 * added_tokens.json says their ids, and special_tokens_map.json which are special. Throws `file-invalid`.
 */
export function addedTokensOf(folder: string, settings: ConfigFields | null): AddedToken[] {
  const tokens = new Map<number, AddedToken>();
  const special = specialTexts(folder);
  const older = readJsonFile(join(folder, 'added_tokens.json'));
  if (older !== null) {
    const fields = new ConfigFields(join(folder, 'added_tokens.json'), { ids: older });
    for (const [content, token] of limited(fields.read('ids', z.record(z.string(), id))))
      tokens.set(token, {
        ...{ id: token, content, special: special.has(content) },
        ...{ lstrip: false, rstrip: false, normalized: false },
      });
  }
  const decoder = settings?.read('added_tokens_decoder', z.record(z.string(), describedSchema).optional());
  for (const [key, token] of limited(decoder ?? {}))
    tokens.set(id.parse(Number(key)), { id: id.parse(Number(key)), ...token });
  return [...tokens.values()];
}

function limited<T>(entries: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(entries).slice(0, mostTokens);
}

function specialTexts(folder: string): Set<string> {
  const path = join(folder, 'special_tokens_map.json');
  const json = readJsonFile(path);
  if (json === null) return new Set();
  const values = new ConfigFields(path, { map: json }).read(
    'map',
    z.record(z.string(), z.union([specialSchema, z.array(specialSchema)])),
  );
  return new Set(Object.values(values).flat());
}
