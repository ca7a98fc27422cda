import { z } from 'zod';
import { conversationSchema, idSchema, turnSchema } from './conversation.ts';

/** The most turns that a conversation of an archive may have. */
export const longestArchived = 100_000;

const time = z.number().int().min(0).max(8_640_000_000_000_000);

const archivedTurnSchema = turnSchema.omit({ conversationId: true }).extend({
  status: turnSchema.shape.status.exclude(['streaming']),
  text: z.string().max(1_000_000),
  heardAs: z.string().max(1_000_000).nullable(),
  createdAt: time,
  /** Whether it is shown among its siblings. */
  chosen: z.boolean(),
});
export type ArchivedTurn = z.infer<typeof archivedTurnSchema>;

/** A conversation as it leaves this machine and comes to another: every branch, a turn after the one that it follows. */
export const archivedConversationSchema = conversationSchema
  .pick({ pinned: true })
  .extend({
    id: idSchema,
    title: z.string().min(1).max(200),
    createdAt: time,
    updatedAt: time,
    turns: z.array(archivedTurnSchema).max(longestArchived),
  })
  .superRefine(({ turns }, context) => {
    const roles = new Map<string, string>();
    for (const { id, parentId, role } of turns) {
      if (roles.has(id)) context.addIssue({ code: 'custom', message: `turn ${id} stands there twice` });
      if (parentId !== null && roles.get(parentId) === undefined)
        context.addIssue({ code: 'custom', message: `turn ${id} follows one that does not come before it` });
      if ((parentId === null ? 'assistant' : roles.get(parentId)) === role)
        context.addIssue({ code: 'custom', message: `turn ${id} is no ${role}'s turn where it stands` });
      roles.set(id, role);
    }
  });
export type ArchivedConversation = z.infer<typeof archivedConversationSchema>;

export const archiveFormat = 'parlance-conversations';
export const archiveVersion = 1;

/** The JSON of an export; in a ZIP it is `conversations.json`, with each clip beside it as `audio/<sha256>.wav`. */
export const archiveSchema = z.object({
  format: z.literal(archiveFormat),
  version: z.literal(archiveVersion),
  conversations: z.array(archivedConversationSchema).max(100_000),
});

/** `skipped`: it is here already, the same in everything; `copied`: its id was taken by another, so it got a new one. */
export const importedSchema = z.object({ id: idSchema, outcome: z.enum(['added', 'skipped', 'copied']) });
export type Imported = z.infer<typeof importedSchema>;
