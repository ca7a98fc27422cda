import { z } from 'zod';
import { idSchema } from './conversation.ts';

/** A turn of an earlier conversation that an answer was given to read. */
export const sourceSchema = z.object({
  conversationId: idSchema,
  title: z.string(),
  turnId: idSchema,
  role: z.enum(['user', 'assistant']),
  /** Its first words, on one line. */
  text: z.string(),
  createdAt: z.number().int(),
});
export type Source = z.infer<typeof sourceSchema>;
