import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { ParlanceError, type Trashed } from '../contract/index.ts';
import { columns, conversationRowSchema } from './conversations-table.ts';

/** How long a deleted conversation can be brought back. */
const undoMs = 24 * 60 * 60 * 1000;

/** Conversations that are deleted and not yet gone: their turns and their sound are as they were, and hidden. */
export function trashedConversations(database: Database) {
  const put = database.prepare(
    'UPDATE conversations SET deleted_at = @now WHERE id = @id AND deleted_at IS NULL',
  );
  const take = database.prepare(
    'UPDATE conversations SET deleted_at = NULL WHERE id = ? AND deleted_at NOT NULL',
  );
  const putUnused = database
    .prepare(
      `UPDATE conversations SET deleted_at = @now
       WHERE deleted_at IS NULL AND pinned = 0 AND updated_at < @before RETURNING id`,
    )
    .pluck();
  const all = database.prepare(
    `SELECT ${columns}, deleted_at FROM conversations WHERE deleted_at NOT NULL ORDER BY deleted_at DESC`,
  );

  function forEach(ids: readonly string[], work: (id: string) => { changes: number }): void {
    for (const id of ids) {
      if (work(id).changes > 0) continue;
      throw new ParlanceError(
        'conversation-missing',
        `There is no conversation ${id} to do this with.`,
        'It may have been deleted, or brought back, in another window.',
      );
    }
  }

  return {
    put(ids: readonly string[]): void {
      const now = Date.now();
      forEach([...new Set(ids)], (id) => put.run({ id, now }));
    },

    restore: (ids: readonly string[]): void => forEach([...new Set(ids)], (id) => take.run(id)),

    putUnused: (before: number): string[] =>
      z.array(z.string()).parse(putUnused.all({ before, now: Date.now() })),

    /** Newest first. */
    list(): Trashed[] {
      return all.all().map((row) => ({
        conversation: conversationRowSchema.parse(row),
        finalAt: z.object({ deleted_at: z.number() }).parse(row).deleted_at + undoMs,
      }));
    },
  };
}
