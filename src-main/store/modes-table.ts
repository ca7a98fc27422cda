import { randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { type Mode, type ModeChange, modeSchema, type NewMode, ParlanceError } from '../contract/index.ts';

const columns = 'id, name, prompt, engine, language, voice, hotkey';

/** Rows of `modes`, in the order they were made. */
export function modesTable(database: Database) {
  const all = database.prepare(`SELECT ${columns} FROM modes ORDER BY number`);
  const byId = database.prepare(`SELECT ${columns} FROM modes WHERE id = ?`);
  const byHotkey = database.prepare('SELECT name FROM modes WHERE hotkey = @hotkey AND id <> @id').pluck();
  const insert = database.prepare(`
    INSERT INTO modes (id, name, prompt, engine, language, voice, hotkey)
    VALUES (@id, @name, @prompt, @engine, @language, @voice, @hotkey)`);
  const update = database.prepare(`
    UPDATE modes SET name = @name, prompt = @prompt, engine = @engine, language = @language, voice = @voice,
           hotkey = @hotkey WHERE id = @id`);
  const remove = database.prepare('DELETE FROM modes WHERE id = ?');

  function get(id: string): Mode {
    const row = byId.get(id);
    if (row !== undefined) return modeSchema.parse(row);
    throw new ParlanceError(
      'invalid-request',
      `There is no mode ${id}.`,
      'It may have been removed in another window.',
    );
  }

  function requireFreeHotkey({ id, hotkey }: Mode): void {
    const other = byHotkey.get({ id, hotkey });
    if (other === undefined) return;
    throw new ParlanceError(
      'invalid-request',
      `hotkey: ${hotkey} is the key of ${String(other)}.`,
      'Choose another key, or take it from that mode first.',
    );
  }

  return {
    get,
    list: (): Mode[] => z.array(modeSchema).parse(all.all()),

    add(added: NewMode): Mode {
      const mode = { ...added, id: randomUUID() };
      requireFreeHotkey(mode);
      insert.run(mode);
      return get(mode.id);
    },

    change({ id, ...change }: ModeChange): Mode {
      const given = Object.entries(change).filter(([, value]) => value !== undefined);
      const mode = modeSchema.parse({ ...get(id), ...Object.fromEntries(given) });
      requireFreeHotkey(mode);
      update.run(mode);
      return get(id);
    },

    /** Its conversations go on without it. */
    remove(id: string): void {
      get(id);
      remove.run(id);
    },
  };
}
