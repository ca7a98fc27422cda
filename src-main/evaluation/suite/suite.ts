import { z } from 'zod';
import { ParlanceError } from '../../contract/index.ts';

/** A turn before the one that is measured: what was said, and what was answered to it. */
const earlierTurnSchema = z.object({
  /** Sound of it, relative to the suite; a turn without was typed. */
  audio: z.string().min(1).optional(),
  text: z.string().min(1),
  answer: z.string().min(1),
});

const itemSchema = z.object({
  /** Names the item in results; the sound's path when absent. */
  id: z.string().min(1).optional(),
  /** A sound file, relative to the suite. */
  audio: z.string().min(1),
  /** The words said in it. */
  text: z.string().min(1),
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/, 'is a language code such as en')
    .default('en'),
  /** Who speaks, where it is synthesised. */
  voice: z.string().min(1).optional(),
  /** Whether it is to be answered; with `answers` or `response` it is. */
  question: z.boolean().optional(),
  /** Any of these in an answer makes it right. */
  answers: z.array(z.string().min(1)).min(1).optional(),
  /** The answer whose probability is measured; the LLM's own to the written text when absent. */
  response: z.string().min(1).optional(),
  /** Its translation, into English when no language is named. */
  translation: z
    .union([
      z
        .string()
        .min(1)
        .transform((text) => ({ text, language: 'en' })),
      z.object({ text: z.string().min(1), language: z.string().regex(/^[a-z]{2,3}$/) }),
    ])
    .optional(),
  /** Names, numbers and rare words that a transcript must keep. */
  keep: z.array(z.string().min(1)).min(1).optional(),
  /** The conversation before it, oldest first. */
  turns: z.array(earlierTurnSchema).min(1).optional(),
});
export type SuiteItem = z.infer<typeof itemSchema>;

const suiteSchema = z
  .array(itemSchema)
  .min(1)
  .superRefine((items, context) => {
    const names = new Set<string>();
    items.forEach((item, index) => {
      const name = nameOf(item);
      if (names.has(name)) {
        const message = `${name} is there twice: give each an "id" of its own`;
        context.addIssue({ code: 'custom', path: [index], message });
      }
      names.add(name);
    });
  });

/** Reads a suite's JSON; `name` is only named in errors. Throws invalid-request. */
export function parseSuite(json: string, name: string): SuiteItem[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw invalid(name, (cause as Error).message, cause);
  }
  const suite = suiteSchema.safeParse(value);
  if (suite.success) return suite.data;
  const [issue] = suite.error.issues;
  const [index, ...path] = issue?.path ?? [];
  const place =
    index === undefined ? '' : `item ${Number(index) + 1}${path.length ? `, ${path.join('.')}` : ''}: `;
  throw invalid(name, `${place}${issue?.message}`, suite.error);
}

export function nameOf(item: SuiteItem): string {
  return item.id ?? item.audio;
}

export function isQuestion({ question, answers, response }: SuiteItem): boolean {
  return question ?? (answers !== undefined || response !== undefined);
}

function invalid(name: string, reason: string, cause: unknown): ParlanceError {
  return new ParlanceError(
    'invalid-request',
    `${name} is not a suite: ${reason}.`,
    'docs/measuring.md says what a suite holds.',
    { cause },
  );
}
