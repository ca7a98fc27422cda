import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import {
  type Settings,
  type SettingsChange,
  settingsChangeSchema,
  settingsSchema,
} from '../contract/index.ts';

const rowsSchema = z.array(z.object({ name: z.string(), value: z.string() }));

/** One row a setting, its value as JSON. */
export function settingsTable(database: Database) {
  const all = database.prepare('SELECT name, value FROM settings');
  const write = database.prepare(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );

  function get(): Settings {
    const rows = rowsSchema.parse(all.all());
    // A value that another version of the program wrote falls back to its default; it must not keep the app from opening.
    const readable = rows.flatMap(({ name, value }) => {
      const entry = settingsChangeSchema.safeParse({ [name]: JSON.parse(value) });
      return entry.success ? [entry.data] : [];
    });
    return settingsSchema.parse(Object.assign({}, ...readable));
  }

  return {
    get,
    update(change: SettingsChange): Settings {
      for (const [name, value] of Object.entries(settingsChangeSchema.parse(change))) {
        if (value !== undefined) write.run(name, JSON.stringify(value));
      }
      return get();
    },
  };
}
