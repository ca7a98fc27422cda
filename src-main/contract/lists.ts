import { z } from 'zod';
import { conversationSchema, idSchema } from './conversation.ts';

/** A piece of text and the ranges in it that were searched for: UTF-16 units, from and up to, in order. */
const markedTextSchema = z.object({
  text: z.string(),
  marks: z.array(z.tuple([z.number().int().nonnegative(), z.number().int().positive()])),
});
export type MarkedText = z.infer<typeof markedTextSchema>;

const cursorSchema = z.string().regex(/^[01]\.\d{1,16}\.\d{1,16}$/);

/** Which part of the conversations: those that all of it is true of. */
export const listQuerySchema = z.object({
  /** Milliseconds since 1970: conversations that were going on at any moment between the two. */
  from: z.number().int().optional(),
  to: z.number().int().optional(),
  /** `spoken`: a spoken turn is in it; `typed`: none is. */
  kind: z.enum(['spoken', 'typed']).optional(),
  pinned: z.boolean().optional(),
  /** Id of a mode: those that are in it. */
  mode: idSchema.optional(),
  limit: z.number().int().min(1).max(200).default(50),
  /** Where an earlier page of the same list ended: its `next`. */
  cursor: cursorSchema.optional(),
});
export type ListQuery = z.infer<typeof listQuerySchema>;

export const searchQuerySchema = listQuerySchema.extend({ words: z.string().max(1000) });
export type SearchQuery = z.infer<typeof searchQuerySchema>;

const hitSchema = z.object({
  conversation: conversationSchema,
  title: markedTextSchema,
  /** The newest turns that the words stand in, at most three. */
  passages: z.array(
    z.object({
      turnId: idSchema,
      role: z.enum(['user', 'assistant']),
      /** `heard`: in what was recognised in its sound, which is no text of the turn. */
      source: z.enum(['text', 'heard']),
      passage: markedTextSchema,
    }),
  ),
});
export type Hit = z.infer<typeof hitSchema>;

/** `next` is null on the last page. */
export const conversationPageSchema = z.object({
  conversations: z.array(conversationSchema),
  next: cursorSchema.nullable(),
});
export type ConversationPage = z.infer<typeof conversationPageSchema>;

export const hitPageSchema = z.object({ hits: z.array(hitSchema), next: cursorSchema.nullable() });
export type HitPage = z.infer<typeof hitPageSchema>;

export const trashedSchema = z.object({
  conversation: conversationSchema,
  /** Milliseconds since 1970: from then on it may be gone for good. */
  finalAt: z.number().int(),
});
export type Trashed = z.infer<typeof trashedSchema>;
