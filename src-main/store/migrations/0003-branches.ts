import type { Migration } from './migration.ts';

/** Which turn is shown among its siblings. Nobody chose in what is there already: the newest one is shown, as before. */
export const branches: Migration = {
  version: 3,
  name: '0003-branches',
  up(database) {
    database.exec(`
      ALTER TABLE turns ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX turns_chosen_roots ON turns (number) WHERE parent_id IS NULL AND chosen = 1;
    `);
  },
};
