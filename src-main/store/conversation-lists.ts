import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type {
  Conversation,
  ConversationPage,
  Hit,
  HitPage,
  ListQuery,
  SearchQuery,
} from '../contract/index.ts';
import { columns, conversationRowSchema, listOrder } from './conversations-table.ts';
import { markedText, passageOf } from './passages.ts';
import { matchQuery } from './search-words.ts';

const passagesShown = 3;

/** What is left out of a query is null, and true of every conversation. Cursors stand for the last row of a page. */
const filters = `
  deleted_at IS NULL
  AND (@from IS NULL OR updated_at >= @from) AND (@to IS NULL OR created_at <= @to)
  AND (@spoken IS NULL OR spoken = @spoken) AND (@pinned IS NULL OR pinned = @pinned)
  AND (@mode IS NULL OR mode_id = @mode)
  AND (@lastNumber IS NULL OR (pinned, updated_at, number) < (@lastPinned, @lastUpdated, @lastNumber))`;

const listStatement = `
  SELECT number, ${columns} FROM conversations WHERE ${filters} ORDER BY ${listOrder} LIMIT @rows`;

/** The upper bits of a turn's number are its conversation's: hits name their conversations without reading a turn. */
const hitStatement = `
  SELECT number, ${columns} FROM conversations
  WHERE (number IN (SELECT rowid FROM title_search WHERE title_search MATCH @query)
      OR number IN (SELECT rowid >> 20 FROM turn_search WHERE turn_search MATCH @query))
    AND ${filters}
  ORDER BY ${listOrder} LIMIT @rows`;

const numberSchema = z.object({ number: z.number() });
const passageRowSchema = z.object({
  id: z.string(),
  role: z.enum(['user', 'assistant']),
  text: z.string(),
  heard_as: z.string().nullable(),
});

interface Row {
  readonly number: number;
  readonly conversation: Conversation;
}

function parametersOf(query: ListQuery) {
  const [lastPinned, lastUpdated, lastNumber] = query.cursor?.split('.').map(Number) ?? [null, null, null];
  return {
    from: query.from ?? null,
    to: query.to ?? null,
    spoken: query.kind === undefined ? null : Number(query.kind === 'spoken'),
    mode: query.mode ?? null,
    pinned: query.pinned === undefined ? null : Number(query.pinned),
    lastPinned,
    lastUpdated,
    lastNumber,
    rows: query.limit + 1,
  };
}

/** One row more than a page was asked for: whether it is there says whether another page is. */
function pageOf(found: unknown[], limit: number): { rows: Row[]; next: string | null } {
  const rows = found.slice(0, limit).map((row) => ({
    number: numberSchema.parse(row).number,
    conversation: conversationRowSchema.parse(row),
  }));
  const last = rows.at(-1);
  if (found.length <= limit || last === undefined) return { rows, next: null };
  const { pinned, updatedAt } = last.conversation;
  return { rows, next: `${Number(pinned)}.${updatedAt}.${last.number}` };
}

/** The list of conversations and the search in it, a page at a time, without what was deleted. */
export function conversationLists(database: Database) {
  const list = database.prepare(listStatement);
  const matching = database.prepare(hitStatement);
  // One look into the index for the whole page: what a beginning of a word stands for is put together only once.
  const passages = database.prepare(`
    SELECT id, number, role, text, heard_as FROM turns WHERE number IN (
      SELECT hit FROM (
        SELECT rowid AS hit, row_number() OVER (PARTITION BY rowid >> 20 ORDER BY rowid DESC) AS place
        FROM turn_search
        WHERE turn_search MATCH @query AND rowid >> 20 IN (SELECT value FROM json_each(@numbers)))
      WHERE place <= ${passagesShown})
    ORDER BY number DESC`);

  /** By the numbers of their conversations. */
  function passageRows(numbers: readonly number[], query: string): Map<number, unknown[]> {
    const found = passages.all({ query, numbers: JSON.stringify(numbers) });
    return Map.groupBy(found, (row) => Math.floor(numberSchema.parse(row).number / 2 ** 20));
  }

  function passagesIn(found: unknown[], words: string): Hit['passages'] {
    return z
      .array(passageRowSchema)
      .parse(found)
      .flatMap(({ id, role, text, heard_as }) => {
        const inText = passageOf(text, words);
        const passage = inText ?? (heard_as === null ? null : passageOf(heard_as, words));
        const source = inText === null ? ('heard' as const) : ('text' as const);
        return passage === null ? [] : [{ turnId: id, role, source, passage }];
      });
  }

  return {
    page(query: ListQuery): ConversationPage {
      const { rows, next } = pageOf(list.all(parametersOf(query)), query.limit);
      return { conversations: rows.map(({ conversation }) => conversation), next };
    },

    search(query: SearchQuery): HitPage {
      const match = matchQuery(query.words);
      if (match === null) return { hits: [], next: null };
      const found = matching.all({ ...parametersOf(query), query: match });
      const { rows, next } = pageOf(found, query.limit);
      const said = passageRows(
        rows.map(({ number }) => number),
        match,
      );
      const hits = rows.map(({ number, conversation }) => ({
        conversation,
        title: markedText(conversation.title, query.words),
        passages: passagesIn(said.get(number) ?? [], query.words),
      }));
      return { hits, next };
    },
  };
}
