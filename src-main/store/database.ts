import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { ParlanceError } from '../contract/index.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './migrations/migration.ts';
import { corrupt, readOnly, storeError } from './store-errors.ts';

export const databaseName = 'parlance.db';

/** Up to this size (bytes) every page is looked at when the database is opened: some 50 ms. Larger ones are not. */
const checkedSize = 32 * 1024 * 1024;

export interface DatabaseOptions {
  readonly folder: string;
  readonly migrations: readonly Migration[];
  /** How long a statement waits for another process's write. */
  readonly busyTimeoutMs: number;
}

function requireWritable(folder: string, path: string): void {
  for (const place of [folder, path, `${path}-wal`, `${path}-shm`]) {
    if (!existsSync(place)) continue;
    try {
      accessSync(place, constants.W_OK);
    } catch (error) {
      throw readOnly(place, error);
    }
  }
}

/** Refuses what this program must not touch: a damaged file, another program's database, a newer schema. */
function examine(database: Database, path: string, known: number): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > known) {
    throw new ParlanceError(
      'database-newer',
      `The database ${path} was written by a newer Parlance (version ${version} of its tables; this one knows ${known}).`,
      'Install the newer Parlance again, or set PARLANCE_HOME to another folder for this one.',
    );
  }
  const tables = Number(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (version === 0 && tables > 0) throw corrupt(path, 'it is a database of another program');
  if (statSync(path).size <= checkedSize) {
    const finding = String(database.pragma('quick_check(1)', { simple: true }));
    if (finding !== 'ok') throw corrupt(path, finding);
  }
}

/**
 * Opens `parlance.db` in `folder`, makes it if there is none, and brings its tables up to date. Throws ParlanceError
 * database-locked, -readonly, -corrupt, -newer or disk-full; the file is then as it was.
 */
export function openDatabase({ folder, migrations, busyTimeoutMs }: DatabaseOptions): Database {
  const path = join(folder, databaseName);
  let database: Database | null = null;
  try {
    mkdirSync(folder, { recursive: true });
    requireWritable(folder, path);
    database = new Sqlite(path, { timeout: busyTimeoutMs });
    examine(database, path, migrations.at(-1)?.version ?? 0);
    database.pragma('journal_mode = WAL');
    // A finished turn survives a power cut: every commit is flushed, not only every checkpoint.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    migrate(database, path, migrations);
    return database;
  } catch (error) {
    database?.close();
    throw storeError(error, path);
  }
}
