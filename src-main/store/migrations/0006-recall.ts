import type { Migration } from './migration.ts';

/**
 * Which turns of earlier conversations an answer was given to read (JSON: their ids alone, so that what is deleted is
 * gone there too), and the words of the full-text index with how many turns each stands in.
 */
export const recall: Migration = {
  version: 6,
  name: '0006-recall',
  up(database) {
    database.exec(`
      ALTER TABLE turns ADD COLUMN sources TEXT;
      CREATE VIRTUAL TABLE turn_words USING fts5vocab ('turn_search', 'row');
    `);
  },
};
