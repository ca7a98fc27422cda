import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { Migration } from './migrations/migration.ts';
import { corrupt } from './store-errors.ts';

/** Older copies are removed. */
const keptBackups = 3;

const versionOf = (database: Database) => Number(database.pragma('user_version', { simple: true }));

/** Copies the database to `backups/`, flushed to disk, under a name that says when and which version. */
function backUp(database: Database, path: string, version: number): void {
  const folder = join(dirname(path), 'backups');
  mkdirSync(folder, { recursive: true });
  const moment = new Date().toISOString().replaceAll(':', '-');
  const copy = join(folder, `parlance-${moment}-version-${version}.db`);
  try {
    database.prepare('VACUUM INTO ?').run(copy);
    const file = openSync(copy, 'r+');
    fsyncSync(file);
    closeSync(file);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
  const copies = readdirSync(folder)
    .filter((name) => /^parlance-.*\.db$/.test(name))
    .sort();
  for (const name of copies.slice(0, -keptBackups)) rmSync(join(folder, name), { force: true });
}

/**
 * Takes the tables forward to the last migration's version, in one transaction: after any failure the database is what
 * it was. A database that holds data is copied first, and checked before the change is committed.
 */
export function migrate(database: Database, path: string, migrations: readonly Migration[]): void {
  const latest = migrations.at(-1)?.version ?? 0;
  const found = versionOf(database);
  if (found >= latest) return;
  if (found > 0) backUp(database, path, found);
  const change = database.transaction(() => {
    // Another process may have been first while this one waited for the write lock.
    const from = versionOf(database);
    for (const migration of migrations) {
      if (migration.version <= from) continue;
      migration.up(database);
      database.pragma(`user_version = ${migration.version}`);
    }
    if (from === 0) return;
    const finding = String(database.pragma('integrity_check(1)', { simple: true }));
    if (finding !== 'ok') throw corrupt(path, finding);
  });
  change.exclusive();
}
