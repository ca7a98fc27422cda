import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { ParlanceError, type Turn, turnSchema } from '../contract/index.ts';
import { type Owner, ownerSchema } from '../platform/owner-process.ts';
import { bytesToBars } from './clips-table.ts';
import { searchWords } from './search-words.ts';
import { type NumberRange, turnTree } from './turn-tree.ts';

const json = z
  .string()
  .nullable()
  .transform((text) => (text === null ? null : (JSON.parse(text) as unknown)));

const rowSchema = z
  .object({
    id: z.string(),
    conversation_id: z.string(),
    parent_id: z.string().nullable(),
    role: z.string(),
    kind: z.string(),
    text: z.string(),
    heard_as: z.string().nullable(),
    audio_sha256: z.string().nullable(),
    seconds: z.number().nullable(),
    bars: z.instanceof(Uint8Array).nullable(),
    status: z.string(),
    engine: z.string().nullable(),
    bundle: z.string().nullable(),
    provider: z.string().nullable(),
    usage: json,
    timings: json,
    failure: json,
    created_at: z.number(),
  })
  .transform(({ conversation_id, parent_id, heard_as, audio_sha256, seconds, bars, created_at, ...row }) => ({
    ...row,
    conversationId: conversation_id,
    parentId: parent_id,
    heardAs: heard_as,
    audio:
      audio_sha256 === null
        ? null
        : { sha256: audio_sha256, seconds, bars: bytesToBars(bars ?? Buffer.of()) },
    createdAt: created_at,
  }))
  .pipe(turnSchema);

const select = `
  SELECT turns.id, conversation_id, parent_id, role, kind, text, heard_as, audio_sha256, seconds, bars, status, engine,
         bundle, provider, usage, timings, failure, created_at
  FROM turns LEFT JOIN clips ON clips.sha256 = turns.audio_sha256`;

const asJson = (value: object | null) => (value === null ? null : JSON.stringify(value));

/** Numbers of a conversation's turns: see migration 0001. */
const firstNumber = (conversation: number) => conversation * 2 ** 20;

/** Rows of `turns`, and their words in the full-text index. */
export function turnsTable(database: Database) {
  const byId = database.prepare(`${select} WHERE turns.id = ?`);
  const within = database.prepare(`${select} WHERE turns.number BETWEEN ? AND ? ORDER BY turns.number`);
  const lastNumber = database.prepare('SELECT max(number) FROM turns WHERE number BETWEEN ? AND ?').pluck();
  const insert = database.prepare(`
    INSERT INTO turns (number, id, conversation_id, parent_id, role, kind, text, heard_as, audio_sha256, status, engine,
                       bundle, provider, usage, timings, failure, owner, created_at)
    VALUES (@number, @id, @conversationId, @parentId, @role, @kind, @text, @heardAs, @audio, @status, @engine,
            @bundle, @provider, @usage, @timings, @failure, @owner, @createdAt)`);
  const update = database
    .prepare(
      `UPDATE turns SET kind = @kind, text = @text, heard_as = @heardAs, audio_sha256 = @audio, status = @status,
              engine = @engine, bundle = @bundle, provider = @provider, usage = @usage, timings = @timings,
              failure = @failure, owner = @owner
       WHERE id = @id RETURNING number`,
    )
    .pluck();
  const beingWritten = database.prepare("SELECT id, owner FROM turns WHERE status = 'streaming'");
  const isOwnedBy = database
    .prepare("SELECT 1 FROM turns WHERE id = ? AND owner IS ? AND status = 'streaming'")
    .pluck();
  const clipsWithin = database
    .prepare('SELECT DISTINCT audio_sha256 FROM turns WHERE number BETWEEN ? AND ? AND audio_sha256 NOT NULL')
    .pluck();
  const removeWithin = database.prepare('DELETE FROM turns WHERE number BETWEEN ? AND ?');
  const removeFromIndex = database.prepare(
    'DELETE FROM turn_search WHERE rowid IN (SELECT number FROM turns WHERE number BETWEEN ? AND ?)',
  );
  const index = database.prepare('INSERT OR REPLACE INTO turn_search (rowid, words) VALUES (?, ?)');

  const tree = turnTree(database);

  const range = (conversation: number): NumberRange => [
    firstNumber(conversation),
    firstNumber(conversation + 1) - 1,
  ];

  function get(id: string): Turn {
    const row = byId.get(id);
    if (row !== undefined) return rowSchema.parse(row);
    throw new ParlanceError(
      'turn-missing',
      `There is no turn ${id}.`,
      'Its conversation may have been deleted.',
    );
  }

  /** A streaming answer's words change several times a second; they are indexed once, when it ends. */
  function indexWords(number: number, turn: Turn): void {
    if (turn.status !== 'streaming') index.run(number, searchWords(`${turn.text} ${turn.heardAs ?? ''}`));
  }

  function parametersOf(turn: Turn, owner: Owner | null) {
    return {
      ...turn,
      audio: turn.audio?.sha256 ?? null,
      usage: asJson(turn.usage),
      timings: asJson(turn.timings),
      failure: asJson(turn.failure),
      owner: turn.status === 'streaming' ? asJson(owner) : null,
    };
  }

  return {
    get,

    inConversation(conversation: number): Turn[] {
      return z.array(rowSchema).parse(within.all(...range(conversation)));
    },

    tree: (conversation: number) => tree.nodes(range(conversation)),
    choose: (id: string, conversation: number) => tree.choose(id, range(conversation)),
    setChosen: (ids: readonly string[], conversation: number) => tree.setChosen(ids, range(conversation)),
    removeBelow: (id: string) => tree.remove(id),

    /** Its clip must have a row. `owner` is kept with a streaming turn. The turn is shown among its siblings. */
    insert(turn: Turn, conversation: number, owner: Owner | null): Turn {
      const last = lastNumber.get(...range(conversation));
      const number = typeof last === 'number' ? last + 1 : firstNumber(conversation);
      insert.run({ number, ...parametersOf(turn, owner) });
      tree.showAmongSiblings(turn.id, turn.parentId, range(conversation));
      indexWords(number, turn);
      return get(turn.id);
    },

    update(turn: Turn, owner: Owner | null): Turn {
      indexWords(z.number().parse(update.get(parametersOf(turn, owner))), turn);
      return get(turn.id);
    },

    /** Turns left `streaming`, with the process that said it was writing them. */
    streaming(): Array<{ id: string; owner: Owner | null }> {
      return z
        .array(z.object({ id: z.string(), owner: json.pipe(ownerSchema.nullable()) }))
        .parse(beingWritten.all());
    },

    isStreamingFor(id: string, owner: Owner | null): boolean {
      return isOwnedBy.get(id, asJson(owner)) === 1;
    },

    /** Removes a conversation's turns. Returns the clips that they named. */
    removeAll(conversation: number): string[] {
      const clips = z.array(z.string()).parse(clipsWithin.all(...range(conversation)));
      removeFromIndex.run(...range(conversation));
      removeWithin.run(...range(conversation));
      return clips;
    },
  };
}
