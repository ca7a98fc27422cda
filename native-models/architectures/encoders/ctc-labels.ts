import { z } from 'zod';

const ids = z.record(z.string(), z.number().int().min(0).max(1e6));
const added = z.array(z.object({ id: z.number().int().min(0).max(1e6), content: z.string() }));

/** tokenizer.json of the tokenizers library: pieces by id, or in their order with a score each. */
const tokenizerSchema = z.object({
  added_tokens: added.optional(),
  model: z.object({ vocab: z.union([ids, z.array(z.tuple([z.string(), z.number()]))]) }),
});

/**
 * What the labels of a CTC head stand for, read off tokenizer.json or vocab.json. A label that neither names is the blank, which
 * stands for nothing. Null without a head, or without either file.
 */
export function ctcLabels(tokenizer: object | null | undefined, count: number): string[] | null {
  if (count === 0 || tokenizer === null || tokenizer === undefined) return null;
  const whole = tokenizerSchema.safeParse(tokenizer);
  const pieces = whole.success ? whole.data.model.vocab : ids.safeParse(tokenizer).data;
  if (pieces === undefined) return null;
  const named = Array.isArray(pieces)
    ? pieces.map(([text], id) => [text, id] as const)
    : Object.entries(pieces);
  const others = (whole.data?.added_tokens ?? []).map(({ content, id }) => [content, id] as const);
  const labels = new Array<string>(count).fill('');
  for (const [text, id] of [...named, ...others]) if (id < count) labels[id] = text;
  return labels;
}
