import { randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { type Conversation, conversationSchema, ParlanceError } from '../contract/index.ts';
import { matchQuery, searchWords } from './search-words.ts';

export const conversationRowSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    pinned: z.number(),
    spoken: z.number(),
    mode_id: z.string().nullable(),
    turn_count: z.number(),
    created_at: z.number(),
    updated_at: z.number(),
  })
  .transform((row) => ({
    id: row.id,
    title: row.title,
    pinned: row.pinned !== 0,
    spoken: row.spoken !== 0,
    modeId: row.mode_id,
    turnCount: row.turn_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }))
  .pipe(conversationSchema);

export const columns = 'id, title, pinned, spoken, mode_id, turn_count, created_at, updated_at';
export const listOrder = 'pinned DESC, updated_at DESC, number DESC';

/**
 * A conversation is found by its title or by one of its turns: the upper bits of a turn's number are its
 * conversation's. Of each kind the newest `limit` conversations are taken, so that a word which stands everywhere costs
 * no more than a rare one.
 */
export const searchStatement = `
  SELECT ${columns} FROM conversations
  WHERE deleted_at IS NULL AND (
        number IN (SELECT rowid FROM title_search WHERE title_search MATCH @query ORDER BY rowid DESC LIMIT @limit)
     OR number IN (SELECT DISTINCT rowid >> 20 FROM turn_search WHERE turn_search MATCH @query
                   ORDER BY rowid DESC LIMIT @limit))
  ORDER BY ${listOrder} LIMIT @limit`;

/** Rows of `conversations`, and their titles in the full-text index. */
export function conversationsTable(database: Database) {
  const byId = database.prepare(`SELECT ${columns} FROM conversations WHERE id = ?`);
  const all = database.prepare(
    `SELECT ${columns} FROM conversations WHERE deleted_at IS NULL ORDER BY ${listOrder} LIMIT ?`,
  );
  const matching = database.prepare(searchStatement);
  const insert = database.prepare(
    'INSERT INTO conversations (id, title, created_at, updated_at) VALUES (@id, @title, @now, @now) RETURNING number',
  );
  const numberById = database
    .prepare('SELECT number FROM conversations WHERE id = ? AND deleted_at IS NULL')
    .pluck();
  const anyNumberById = database.prepare('SELECT number FROM conversations WHERE id = ?').pluck();
  const setTitle = database.prepare('UPDATE conversations SET title = @title WHERE id = @id');
  const setMode = database.prepare('UPDATE conversations SET mode_id = @modeId WHERE id = @id');
  const setPinned = database.prepare('UPDATE conversations SET pinned = @pinned WHERE id = @id');
  const count = database.prepare(
    'UPDATE conversations SET turn_count = turn_count + 1, spoken = max(spoken, @spoken), updated_at = @now WHERE id = @id',
  );
  const recount = database.prepare(`
    UPDATE conversations SET updated_at = @now,
      turn_count = (SELECT count(*) FROM turns WHERE conversation_id = @id),
      spoken = EXISTS (SELECT 1 FROM turns WHERE conversation_id = @id AND kind = 'spoken')
    WHERE id = @id`);
  const touch = database.prepare('UPDATE conversations SET updated_at = @now WHERE id = @id');
  const remove = database.prepare('DELETE FROM conversations WHERE id = ?');
  const index = database.prepare('INSERT OR REPLACE INTO title_search (rowid, words) VALUES (?, ?)');
  const removeFromIndex = database.prepare('DELETE FROM title_search WHERE rowid = ?');

  /** Of a conversation that was not deleted; with `deleted`, of any that is still on disk. */
  function numberOf(id: string, deleted = false): number {
    const number = (deleted ? anyNumberById : numberById).get(id);
    if (typeof number === 'number') return number;
    throw new ParlanceError(
      'conversation-missing',
      `There is no conversation ${id}.`,
      'It may have been deleted. `parlance history list` shows those that are there.',
    );
  }

  function get(id: string): Conversation {
    numberOf(id);
    return conversationRowSchema.parse(byId.get(id));
  }

  return {
    numberOf,
    get,

    list(search: string, limit: number): Conversation[] {
      if (search.trim() === '') return z.array(conversationRowSchema).parse(all.all(limit));
      const query = matchQuery(search);
      return query === null ? [] : z.array(conversationRowSchema).parse(matching.all({ query, limit }));
    },

    create(title: string): Conversation {
      const id = randomUUID();
      const { number } = z.object({ number: z.number() }).parse(insert.get({ id, title, now: Date.now() }));
      index.run(number, searchWords(title));
      return get(id);
    },

    rename(id: string, title: string): Conversation {
      index.run(numberOf(id), searchWords(title));
      setTitle.run({ id, title });
      return get(id);
    },

    pin(id: string, pinned: boolean): Conversation {
      numberOf(id);
      setPinned.run({ id, pinned: pinned ? 1 : 0 });
      return get(id);
    },

    /** The mode must be there. */
    setMode(id: string, modeId: string | null): Conversation {
      numberOf(id);
      setMode.run({ id, modeId });
      return get(id);
    },

    /** One more turn stands in it. */
    count(id: string, spoken: boolean): void {
      count.run({ id, spoken: spoken ? 1 : 0, now: Date.now() });
    },

    /** Turns were taken out of it. */
    recount(id: string): void {
      recount.run({ id, now: Date.now() });
    },

    touch(id: string): void {
      touch.run({ id, now: Date.now() });
    },

    /** Its turns must be gone. */
    remove(id: string): void {
      removeFromIndex.run(numberOf(id, true));
      remove.run(id);
    },
  };
}
