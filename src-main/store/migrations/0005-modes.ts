import type { Migration } from './migration.ts';

/** Ways to talk, and which of them a conversation is in. */
export const modes: Migration = {
  version: 5,
  name: '0005-modes',
  up(database) {
    database.exec(`
      CREATE TABLE modes (
        number   INTEGER PRIMARY KEY,
        id       TEXT NOT NULL UNIQUE,
        name     TEXT NOT NULL,
        prompt   TEXT NOT NULL,
        engine   TEXT,
        language TEXT,
        voice    TEXT,
        hotkey   TEXT UNIQUE
      ) STRICT;
      ALTER TABLE conversations ADD COLUMN mode_id TEXT REFERENCES modes (id) ON DELETE SET NULL;
      CREATE INDEX conversations_by_mode ON conversations (mode_id) WHERE mode_id NOT NULL;
    `);
  },
};
