import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src-main/store/database.ts';
import { createLocalStore } from '../../../src-main/store/local-store.ts';
import { conversations } from '../../../src-main/store/migrations/0001-conversations.ts';
import { migrations } from '../../../src-main/store/migrations/index.ts';
import type { Migration } from '../../../src-main/store/migrations/migration.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const busyTimeoutMs = 1000;
const backups = (folder: string) =>
  existsSync(join(folder, 'backups')) ? readdirSync(join(folder, 'backups')) : [];
const newest = migrations.at(-1)?.version ?? 0;

/** A database as the first version of the tables had it, with a conversation in it. */
function versionOne(folder: string): void {
  const database = openDatabase({ folder, migrations: [conversations], busyTimeoutMs });
  database.exec(`
    INSERT INTO conversations (number, id, title, turn_count, created_at, updated_at)
      VALUES (1, 'old', 'Über Tee', 1, 1700000000000, 1700000000000);
    INSERT INTO turns (number, id, conversation_id, role, kind, text, status, created_at)
      VALUES (1048576, 'question', 'old', 'user', 'typed', 'Wie heiß ist 天気 in Tromsø?', 'complete', 1700000000000);
  `);
  database.close();
}

const next = (version: number, sql: string): Migration => ({
  version,
  name: `${version}`,
  up: (database) => database.exec(sql),
});

test('the files are numbered as their versions, without a gap', () => {
  const names = readdirSync(new URL('../../../src-main/store/migrations', import.meta.url))
    .filter((name) => /^\d/.test(name))
    .sort();
  expect(names).toEqual(migrations.map(({ name }) => `${name}.ts`));
  expect(migrations.map(({ version }) => version)).toEqual(names.map((_, place) => place + 1));
  expect(migrations.map(({ name }) => Number(name.slice(0, 4)))).toEqual(names.map((_, place) => place + 1));
});

test('a new database is made at the newest version, without a copy of nothing', () => {
  const folder = temporaryFolder();
  const database = openDatabase({ folder, migrations, busyTimeoutMs });
  expect(database.pragma('user_version', { simple: true })).toBe(newest);
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(database.pragma('synchronous', { simple: true })).toBe(2);
  expect(database.pragma('foreign_keys', { simple: true })).toBe(1);
  expect(backups(folder)).toEqual([]);
  database.close();
});

test('version 1 is copied, brought forward, and what was in it is found by the new index', async () => {
  const folder = temporaryFolder();
  versionOne(folder);
  const store = createLocalStore({ folder, migrations, busyTimeoutMs });
  expect(await store.conversations({ search: 'heiß 天気', limit: 5 })).toMatchObject([
    { id: 'old', title: 'Über Tee' },
  ]);
  expect(await store.conversations({ search: 'uber', limit: 5 })).toMatchObject([{ id: 'old' }]);
  expect(await store.turns('old')).toMatchObject([{ id: 'question', text: 'Wie heiß ist 天気 in Tromsø?' }]);
  expect(await store.turnTree('old')).toEqual([
    { id: 'question', parentId: null, role: 'user', chosen: false },
  ]);
  expect((await store.conversationPage({ limit: 5 })).conversations).toMatchObject([
    { id: 'old', modeId: null },
  ]);
  expect((await store.search({ words: 'heiß', limit: 5 })).hits[0]?.passages[0]?.turnId).toBe('question');
  expect(await store.recall({ text: 'Tromsø', except: 'new', limit: 5 })).toMatchObject([
    { turnId: 'question' },
  ]);
  await store.close();

  const [copy] = backups(folder);
  expect(backups(folder).length).toBe(1);
  const before = new Sqlite(join(folder, 'backups', copy ?? ''), { readonly: true });
  expect(before.pragma('user_version', { simple: true })).toBe(1);
  expect(before.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(before.prepare('SELECT title FROM conversations').pluck().all()).toEqual(['Über Tee']);
  before.close();
});

test('opening an up-to-date database copies nothing', () => {
  const folder = temporaryFolder();
  for (const _ of [1, 2]) openDatabase({ folder, migrations, busyTimeoutMs }).close();
  expect(backups(folder)).toEqual([]);
});

test('a step that fails leaves the database as it was, and a copy', () => {
  const folder = temporaryFolder();
  versionOne(folder);
  const failing = next(newest + 1, 'CREATE TABLE half (a); INSERT INTO nowhere VALUES (1);');
  expect(() => openDatabase({ folder, migrations: [...migrations, failing], busyTimeoutMs })).toThrow(
    'nowhere',
  );
  const database = new Sqlite(join(folder, 'parlance.db'));
  expect(database.pragma('user_version', { simple: true })).toBe(1);
  expect(
    database
      .prepare("SELECT count(*) FROM sqlite_schema WHERE name IN ('half', 'turn_search')")
      .pluck()
      .get(),
  ).toBe(0);
  expect(database.prepare('SELECT count(*) FROM turns').pluck().get()).toBe(1);
  database.close();
  expect(backups(folder).length).toBe(1);
});

test('a step that would leave broken rows is not committed', () => {
  const folder = temporaryFolder();
  versionOne(folder);
  const breaking: Migration = {
    version: newest + 1,
    name: 'breaking',
    up(database) {
      database.unsafeMode(true);
      database.pragma('writable_schema = ON');
      database.exec("UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'settings'");
      database.pragma('writable_schema = RESET');
    },
  };
  expect(() => openDatabase({ folder, migrations: [...migrations, breaking], busyTimeoutMs })).toThrow(
    expect.objectContaining({ code: 'database-corrupt' }),
  );
  const database = new Sqlite(join(folder, 'parlance.db'));
  expect(database.pragma('user_version', { simple: true })).toBe(1);
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  database.close();
});

test('the last three copies are kept', () => {
  const folder = temporaryFolder();
  const steps: Migration[] = [conversations];
  openDatabase({ folder, migrations: steps, busyTimeoutMs }).close();
  for (let version = 2; version <= 6; version += 1) {
    steps.push(next(version, `CREATE TABLE step${version} (a)`));
    openDatabase({ folder, migrations: steps, busyTimeoutMs }).close();
  }
  expect(backups(folder).map((name) => name.replace(/.*version/, 'version'))).toEqual([
    'version-3.db',
    'version-4.db',
    'version-5.db',
  ]);
});

test('a database of a newer version is refused and not touched', () => {
  const folder = temporaryFolder();
  openDatabase({
    folder,
    migrations: [...migrations, next(newest + 1, 'CREATE TABLE later (a)')],
    busyTimeoutMs,
  }).close();
  const before = readFileSync(join(folder, 'parlance.db'));
  expect(() => openDatabase({ folder, migrations, busyTimeoutMs })).toThrow(
    expect.objectContaining({ code: 'database-newer' }),
  );
  expect(readFileSync(join(folder, 'parlance.db'))).toEqual(before);
});
