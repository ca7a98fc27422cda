import { searchWords } from '../search-words.ts';
import type { Migration } from './migration.ts';

/**
 * Full-text indexes over titles and turns. They hold no text of their own: the words go in through `searchWords`, and
 * the text stays in one place.
 */
export const search: Migration = {
  version: 2,
  name: '0002-search',
  up(database) {
    const index = (name: string) => `
      CREATE VIRTUAL TABLE ${name} USING fts5 (
        words, content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
      );`;
    database.exec(index('title_search') + index('turn_search'));
    database.function('search_words', { deterministic: true }, (text) => searchWords(String(text)));
    database.exec(`
      INSERT INTO title_search (rowid, words) SELECT number, search_words(title) FROM conversations;
      INSERT INTO turn_search (rowid, words)
        SELECT number, search_words(text || ' ' || coalesce(heard_as, '')) FROM turns WHERE status <> 'streaming';
    `);
  },
};
