import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Database } from 'better-sqlite3';
import type { ArchivedConversation, ArchivedTurn, Imported, Turn } from '../contract/index.ts';
import type { conversationsTable } from './conversations-table.ts';
import { searchWords } from './search-words.ts';
import type { turnsTable } from './turns-table.ts';

interface Tables {
  readonly conversations: ReturnType<typeof conversationsTable>;
  readonly turns: ReturnType<typeof turnsTable>;
  /** A turn is about to name this clip. */
  readonly ownClip: (clip: NonNullable<Turn['audio']>) => void;
}

/** New ids for a conversation and its turns, where an old one is taken. */
function withNewIds(archived: ArchivedConversation): ArchivedConversation {
  const ids = new Map(archived.turns.map(({ id }) => [id, randomUUID()]));
  const idOf = (id: string) => ids.get(id) ?? id;
  const turns = archived.turns.map((turn) => ({
    ...turn,
    id: idOf(turn.id),
    parentId: turn.parentId === null ? null : idOf(turn.parentId),
  }));
  return { ...archived, id: randomUUID(), turns };
}

/** Conversations as they leave for another machine, and as they come from one. */
export function conversationArchive(database: Database, { conversations, turns, ownClip }: Tables) {
  const insert = database
    .prepare(
      `INSERT INTO conversations (id, title, pinned, spoken, turn_count, created_at, updated_at)
       VALUES (@id, @title, @pinned, @spoken, @turnCount, @createdAt, @updatedAt) RETURNING number`,
    )
    .pluck();
  const isTaken = database.prepare('SELECT EXISTS (SELECT 1 FROM conversations WHERE id = ?)').pluck();
  const isTurnTaken = database.prepare('SELECT EXISTS (SELECT 1 FROM turns WHERE id = ?)').pluck();
  const isDeleted = database.prepare('SELECT deleted_at NOT NULL FROM conversations WHERE id = ?').pluck();
  const indexTitle = database.prepare('INSERT INTO title_search (rowid, words) VALUES (?, ?)');

  function get(id: string): ArchivedConversation {
    const { title, pinned, createdAt, updatedAt } = conversations.get(id);
    const number = conversations.numberOf(id);
    const chosen = new Set(turns.tree(number).flatMap((node) => (node.chosen ? [node.id] : [])));
    const archived = turns.inConversation(number).map(({ conversationId, status, ...turn }): ArchivedTurn => {
      // An answer that is being written goes as what it is without its writer.
      return {
        ...turn,
        status: status === 'streaming' ? 'interrupted' : status,
        chosen: chosen.has(turn.id),
      };
    });
    return { id, title, pinned, createdAt, updatedAt, turns: archived };
  }

  function add(archived: ArchivedConversation): void {
    const { id, title, createdAt, updatedAt } = archived;
    const number = Number(
      insert.get({
        id,
        title,
        createdAt,
        updatedAt,
        pinned: Number(archived.pinned),
        spoken: Number(archived.turns.some(({ kind }) => kind === 'spoken')),
        turnCount: archived.turns.length,
      }),
    );
    indexTitle.run(number, searchWords(title));
    for (const { chosen, ...turn } of archived.turns) {
      if (turn.audio !== null) ownClip(turn.audio);
      turns.insert({ ...turn, conversationId: id }, number, null);
    }
    turns.setChosen(
      archived.turns.flatMap((turn) => (turn.chosen ? [turn.id] : [])),
      number,
    );
  }

  function addOne(archived: ArchivedConversation): Imported {
    const taken = isTaken.get(archived.id) === 1;
    if (taken && isDeleted.get(archived.id) === 0 && isDeepStrictEqual(get(archived.id), archived))
      return { id: archived.id, outcome: 'skipped' };
    const collides = taken || archived.turns.some(({ id }) => isTurnTaken.get(id) === 1);
    const added = collides ? withNewIds(archived) : archived;
    add(added);
    return { id: added.id, outcome: collides ? 'copied' : 'added' };
  }

  return {
    get,
    /** Run it in a transaction: all of them, or none. */
    addAll: (archived: readonly ArchivedConversation[]): Imported[] => archived.map(addOne),
  };
}
