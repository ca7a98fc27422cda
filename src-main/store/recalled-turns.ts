import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { type Source, sourceSchema } from '../contract/index.ts';
import { wordsOf } from './passages.ts';

/** A word that stands in more turns than this part of them tells nothing; in a small history it takes a few. */
const commonPart = 0.05;
const commonAtLeast = 5;
/** Words that are looked for, the rarest first, and characters of a question that they are taken from. */
const mostWords = 8;
const readCharacters = 4000;
/** Characters of a recalled turn. */
const shownCharacters = 600;

const turnColumns = `
  turns.id AS turnId, conversations.id AS conversationId, conversations.title, role, turns.created_at AS createdAt,
  CASE text WHEN '' THEN coalesce(heard_as, '') ELSE text END AS text`;

const rowsSchema = z.array(
  sourceSchema.transform((row) => ({
    ...row,
    text: row.text.replace(/\s+/g, ' ').slice(0, shownCharacters),
  })),
);

/** What was said earlier about the same, and which of it an answer was given to read. */
export function recalledTurns(database: Database) {
  const docs = database.prepare('SELECT doc FROM turn_words WHERE term = ?').pluck();
  const turnCount = database.prepare('SELECT count(*) FROM turns').pluck();
  const best = database.prepare(`
    SELECT ${turnColumns} FROM
      (SELECT rowid AS number, rank FROM turn_search WHERE turn_search MATCH @query ORDER BY rank LIMIT 200) AS hit
      JOIN turns ON turns.number = hit.number JOIN conversations ON conversations.id = turns.conversation_id
    WHERE deleted_at IS NULL AND conversations.id <> @except
    ORDER BY hit.rank, turns.number DESC LIMIT @limit`);
  const keep = database.prepare('UPDATE turns SET sources = @sources WHERE id = @id');
  const kept = database.prepare(`
    SELECT ${turnColumns} FROM json_each((SELECT coalesce(sources, '[]') FROM turns WHERE id = ?)) AS source
      JOIN turns ON turns.id = source.value JOIN conversations ON conversations.id = turns.conversation_id
    WHERE deleted_at IS NULL ORDER BY source.key`);

  /** The words of a text that few turns have, the rarest first: what it is about, in any language. */
  function tellingWords(text: string): string[] {
    const common = Math.max(commonAtLeast, Number(turnCount.get()) * commonPart);
    return [...new Set([...wordsOf(text.slice(0, readCharacters))].map(({ folded }) => folded))]
      .map((word) => ({ word, turns: Number(docs.get(word) ?? 0) }))
      .filter(({ turns }) => turns > 0 && turns <= common)
      .sort((one, other) => one.turns - other.turns)
      .slice(0, mostWords)
      .map(({ word }) => word);
  }

  return {
    find(text: string, except: string, limit: number): Source[] {
      const words = tellingWords(text);
      if (words.length === 0) return [];
      const query = words.map((word) => `"${word.replaceAll('"', '')}"`).join(' OR ');
      return rowsSchema.parse(best.all({ query, except, limit }));
    },

    keep: (id: string, turnIds: readonly string[]): void => {
      keep.run({ id, sources: JSON.stringify(turnIds) });
    },

    /** Those that are still there. */
    of: (id: string): Source[] => rowsSchema.parse(kept.all(id)),
  };
}
