import type { Migration } from './migration.ts';

/** A conversation can be deleted and brought back: when it was deleted, in milliseconds since 1970. */
export const trash: Migration = {
  version: 4,
  name: '0004-trash',
  up(database) {
    database.exec(`
      ALTER TABLE conversations ADD COLUMN deleted_at INTEGER;
      CREATE INDEX conversations_in_trash ON conversations (deleted_at) WHERE deleted_at NOT NULL;
    `);
  },
};
