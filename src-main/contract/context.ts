import { z } from 'zod';
import { idSchema } from './conversation.ts';

/**
 * What the model sees of a conversation, in tokens as they were measured when it answered. What was not measured is null,
 * never guessed.
 */
export const contextSchema = z.object({
  /** The most tokens that prompt and answer may have; null without an installed bundle. */
  contextLength: z.number().int().positive().nullable(),
  /** Kept free for the answer. */
  reserved: z.number().int().nonnegative(),
  /** Prompt and answer of the last turn that was answered. */
  used: z.number().int().nonnegative().nullable(),
  /** The exchanges of the branch that is shown, oldest first. */
  exchanges: z.array(
    z.object({
      questionId: idSchema,
      /** What question and answer take; null where one of them was not measured. */
      tokens: z.number().int().nonnegative().nullable(),
      /** Whether it still fits before the next question; null where that cannot be told. */
      fits: z.boolean().nullable(),
    }),
  ),
});
export type Context = z.infer<typeof contextSchema>;
