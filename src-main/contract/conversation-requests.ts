import { z } from 'zod';
import { importedSchema } from './archive.ts';
import { contextSchema } from './context.ts';
import { conversationSchema, engineNameSchema, idSchema, turnSchema } from './conversation.ts';
import {
  conversationPageSchema,
  hitPageSchema,
  listQuerySchema,
  searchQuerySchema,
  trashedSchema,
} from './lists.ts';
import { sourceSchema } from './recall.ts';

const bytesSchema = z.instanceof(Uint8Array);

export const submittedSchema = z.object({
  conversation: conversationSchema,
  question: turnSchema,
  answer: turnSchema,
});

const turnPageSchema = z.object({
  turns: z.array(turnSchema),
  versions: z.record(idSchema, z.array(idSchema)),
  /** Whether turns come before these. */
  earlier: z.boolean(),
});
export type TurnPage = z.infer<typeof turnPageSchema>;

/** A text file that belongs to a question. */
const attachmentSchema = z.object({ name: z.string(), text: z.string() });
export type Attachment = z.infer<typeof attachmentSchema>;

/** What every way of asking takes. */
export const askingFields = {
  engine: engineNameSchema.optional(),
  /** An earlier question that this one is a new version of: it stands beside it, with an answer of its own. */
  replaces: idSchema.optional(),
  /** Looks up what was said about it in earlier conversations, and gives that to the model to read. */
  recall: z.boolean().optional(),
  /** The mode that a new conversation begins in; one that goes on keeps its own. */
  modeId: idSchema.optional(),
};

const someIds = z.object({ ids: z.array(idSchema).min(1).max(1000) });

/** Requests about conversations and their turns: what the screen sends, and what it gets back. */
export const conversationRequests = {
  'conversations.list': {
    input: z.object({ search: z.string().optional(), limit: z.number().int().min(1).max(1000).default(200) }),
    output: z.array(conversationSchema),
  },
  /** Every turn of every branch. `chosen`: the ids of those that are shown among their siblings. */
  'conversations.open': {
    input: z.object({ id: idSchema }),
    output: z.object({
      conversation: conversationSchema,
      turns: z.array(turnSchema),
      chosen: z.array(idSchema),
    }),
  },
  'conversations.rename': {
    input: z.object({ id: idSchema, title: z.string().min(1).max(200) }),
    output: conversationSchema,
  },
  'conversations.pin': { input: z.object({ id: idSchema, pinned: z.boolean() }), output: conversationSchema },
  /** The list, a page at a time. */
  'conversations.page': { input: listQuerySchema, output: conversationPageSchema },
  /** Conversations by the words of their titles, their turns and what was heard, with the places; a page at a time. */
  'conversations.search': { input: searchQuerySchema, output: hitPageSchema },
  /** Hides conversations. Until they are final they can be brought back, with all their sound. */
  'conversations.trash': { input: someIds, output: z.array(trashedSchema) },
  'conversations.restore': { input: someIds, output: z.array(conversationSchema) },
  /** What can still be brought back. */
  'conversations.trashed': { input: z.object({}), output: z.array(trashedSchema) },
  /** Deletes conversations for good that are in the trash, with their sound. */
  'conversations.purge': { input: someIds, output: z.object({}) },
  /** For good, at once. */
  'conversations.delete': { input: z.object({ id: idSchema }), output: z.object({}) },
  'conversations.export': {
    input: z.object({ id: idSchema }),
    output: z.object({ name: z.string(), markdown: z.string() }),
  },
  /**
   * The end of the branch that is shown, or what comes before turn `before` on it: for conversations too long to open
   * whole. `versions`: the ids of all versions of each turn that has several, oldest first.
   */
  'turns.page': {
    input: z.object({
      conversationId: idSchema,
      before: idSchema.optional(),
      limit: z.number().int().min(1).max(500).default(100),
    }),
    output: turnPageSchema,
  },
  /** Puts a conversation in a mode, from its next answer on; null takes it out. */
  'conversations.setMode': {
    input: z.object({ id: idSchema, modeId: idSchema.nullable() }),
    output: conversationSchema,
  },
  /** The tokens of the branch that is shown: what the model sees, and what no longer fits. */
  'conversations.context': { input: z.object({ id: idSchema }), output: contextSchema },
  /** Several conversations as one file; all of them where no ids are given. Large ones are for the command line. */
  'conversations.exportFile': {
    input: z.object({
      ids: z.array(idSchema).min(1).max(1000).nullable(),
      format: z.enum(['markdown', 'json', 'zip']),
    }),
    output: z.object({ name: z.string(), bytes: bytesSchema }),
  },
  /** Takes in what was exported as JSON or ZIP: all of it, or nothing. */
  'conversations.importFile': { input: z.object({ bytes: bytesSchema }), output: z.array(importedSchema) },
  'turns.askText': {
    input: z.object({
      conversationId: idSchema.nullable(),
      text: z.string(),
      attachments: z.array(attachmentSchema).max(8).optional(),
      ...askingFields,
    }),
    output: submittedSchema,
  },
  /** A dropped file: WAV of any common kind. It is stored before the engine sees it. */
  'turns.askFile': {
    input: z.object({
      conversationId: idSchema.nullable(),
      name: z.string(),
      bytes: bytesSchema,
      ...askingFields,
    }),
    output: submittedSchema,
  },
  'turns.stop': { input: z.object({ answerId: idSchema }), output: z.object({}) },
  /** Answers the same question again, as a sibling of the old answer; `other`: by the engine that did not give that one. */
  'turns.retry': {
    input: z.object({
      answerId: idSchema,
      engine: z.union([engineNameSchema, z.literal('other')]).optional(),
    }),
    output: submittedSchema,
  },
  /** All versions of a turn, oldest first: of an answer, each with its engine and times. */
  'turns.versions': { input: z.object({ turnId: idSchema }), output: z.array(turnSchema) },
  /** Shows the branch that this turn is on, from now on; the new choice comes back as in `conversations.open`. */
  'turns.choose': { input: z.object({ turnId: idSchema }), output: z.object({ chosen: z.array(idSchema) }) },
  /** Deletes a turn and all that follows it, on every branch, with their sound. */
  'turns.delete': { input: z.object({ turnId: idSchema }), output: z.object({ deleted: z.array(idSchema) }) },
  /** What an answer was given to read from earlier conversations; what was deleted since is left out. */
  'turns.sources': { input: z.object({ answerId: idSchema }), output: z.array(sourceSchema) },
  'turns.audio': { input: z.object({ turnId: idSchema }), output: z.object({ wav: bytesSchema }) },
  /** What Whisper hears in a spoken turn, for reading. */
  'turns.heardAs': { input: z.object({ turnId: idSchema }), output: turnSchema },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;
