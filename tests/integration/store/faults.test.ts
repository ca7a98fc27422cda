import { execFile, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { failureSchema } from '../../../src-main/contract/index.ts';
import { openDatabase } from '../../../src-main/store/database.ts';
import { migrations } from '../../../src-main/store/migrations/index.ts';
import { openStore } from '../../../src-main/store/open-store.ts';
import { openConversations } from '../../fixtures/conversations.ts';
import { typedQuestion } from '../../fixtures/store/turns.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { pcm16, tone } from '../../fixtures/voice/tones.ts';

const script = (name: string) => fileURLToPath(new URL(`../../fixtures/store/${name}.ts`, import.meta.url));

/** A folder with a database that holds one conversation. */
async function folderWithDatabase(): Promise<{ folder: string; path: string }> {
  const folder = temporaryFolder();
  const store = await openStore({ folder });
  const { id } = await store.createConversation('Tea');
  const texts = Array.from({ length: 50 }, (_, place) => `question ${place} `.repeat(40));
  await store.addTurns(texts.map((text) => typedQuestion(id, text)));
  await store.close();
  return { folder, path: join(folder, 'parlance.db') };
}

/** The failure of another process that opens the store and writes, as a user whom permissions stop. */
async function failureInAnotherProcess(folder: string) {
  const { stdout } = await promisify(execFile)(process.execPath, [script('open-and-write'), folder]);
  return failureSchema.parse(JSON.parse(stdout));
}

describe('a locked database', () => {
  test('cannot be opened: the failure names the program that holds it, and afterwards all is there', async () => {
    const { folder } = await folderWithDatabase();
    const holder = fork(script('lock-holder'), [folder]);
    await once(holder, 'message');
    const failure = await openStore({ folder, busyTimeoutMs: 100 }).catch((error) => error.toFailure());
    expect(failure.code).toBe('database-locked');
    if (process.platform === 'linux') expect(failure.message).toContain(`process ${holder.pid}`);
    expect(failure.hint).not.toBe('');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const store = await openStore({ folder, busyTimeoutMs: 100 });
    expect((await store.conversations({ limit: 5 })).map(({ title }) => title)).toEqual(['Tea']);
    await store.close();
  });

  test('refuses one write and takes the next, once it is free', async () => {
    const { folder, path } = await folderWithDatabase();
    const store = await openStore({ folder, busyTimeoutMs: 100 });
    const other = new Sqlite(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.createConversation('late')).rejects.toMatchObject({ code: 'database-locked' });
    expect((await store.conversations({ limit: 5 })).length).toBe(1);
    other.exec('COMMIT');
    other.close();
    expect((await store.createConversation('late')).title).toBe('late');
    await store.close();
  });
});

describe('what may not be written', () => {
  test('a read-only database file', async () => {
    const { folder, path } = await folderWithDatabase();
    chmodSync(folder, 0o777);
    chmodSync(path, 0o444);
    const failure = await failureInAnotherProcess(folder);
    expect(failure.code).toBe('database-readonly');
    expect(failure.message).toContain(path);
  });

  test('a read-only folder, with a database and without', async () => {
    const { folder, path } = await folderWithDatabase();
    chmodSync(path, 0o666);
    chmodSync(folder, 0o555);
    expect((await failureInAnotherProcess(folder)).code).toBe('database-readonly');
    const empty = temporaryFolder();
    chmodSync(empty, 0o555);
    expect((await failureInAnotherProcess(empty)).code).toBe('database-readonly');
    expect((await failureInAnotherProcess(join(empty, 'new'))).code).toBe('database-readonly');
  });
});

describe('a damaged database is refused, kept as it is, and the failure says how to go on', () => {
  const damages: Array<[string, (path: string) => void]> = [
    ['its first bytes', (path) => overwrite(path, 0, 100)],
    ['pages in its middle', (path) => overwrite(path, 3 * 4096, 8 * 4096)],
    [
      'all but its first half, cut off',
      (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
    ],
    ['all of it, being a text', (path) => writeFileSync(path, 'This is no database.\n'.repeat(500))],
    ['all of it, being of another program', otherProgram],
  ];

  function overwrite(path: string, from: number, to: number): void {
    const bytes = readFileSync(path);
    bytes.fill(0xa5, from, to);
    writeFileSync(path, bytes);
  }

  function otherProgram(path: string): void {
    rmSync(path);
    const database = new Sqlite(path);
    database.exec('CREATE TABLE recipes (name)');
    database.close();
  }

  test.each(damages)('%s', async (_, damage) => {
    const { folder, path } = await folderWithDatabase();
    damage(path);
    const before = readFileSync(path);
    const failure = await openStore({ folder }).catch((error) => error.toFailure());
    expect(failure.code).toBe('database-corrupt');
    expect(failure.message).toContain(path);
    expect(failure.hint).toContain('Move parlance.db, parlance.db-wal and parlance.db-shm');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('where a copy was made before a migration, the failure names it, and it can be put in its place', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'parlance.db');
    const busyTimeoutMs = 100;
    openDatabase({ folder, migrations: migrations.slice(0, 1), busyTimeoutMs }).close();
    await (await openStore({ folder })).close();
    overwrite(path, 0, 100);
    const failure = await openStore({ folder }).catch((error) => error.toFailure());
    const backups = join(folder, 'backups');
    expect(failure.hint).toContain(backups);
    for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
    copyFileSync(join(backups, readdirSync(backups)[0] ?? ''), path);
    const store = await openStore({ folder });
    expect(await store.conversations({ limit: 5 })).toEqual([]);
    await store.close();
  });

  test('a row that another program changed is told as damage when it is read', async () => {
    const { folder, path } = await folderWithDatabase();
    const other = new Sqlite(path);
    other.exec("UPDATE turns SET status = 'lost' WHERE number = (SELECT min(number) FROM turns)");
    other.close();
    const store = await openStore({ folder });
    const [conversation] = await store.conversations({ limit: 1 });
    await expect(store.turns(conversation?.id ?? '')).rejects.toMatchObject({ code: 'database-corrupt' });
    await store.close();
  });
});

/** A disk of 2 MB; null, with the reason printed, where this user or system cannot have one. */
function smallDisk(): string | null {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    console.log(
      `not tested on a full disk: no small disk can be mounted here (${String(error).split('\n')[0]})`,
    );
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
  });
  return folder;
}

/** Takes all space that is left. Removing the file gives it back. */
function fill(folder: string): string {
  const path = join(folder, 'filling');
  for (const size of [1024 * 1024, 64 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  return path;
}

describe('a full disk', () => {
  test('refuses new turns and new sound, keeps what was there, and works on once there is space', async () => {
    const folder = smallDisk();
    if (folder === null) return;
    const { conversations, store, audio } = await openConversations(folder);
    const first = await conversations.askAudio({ conversationId: null, samples: tone(440, 1) });
    const before = await conversations.finished(first.answer.id);
    const filling = fill(folder);
    const conversationId = first.conversation.id;
    await expect(conversations.askAudio({ conversationId, samples: tone(300, 5) })).rejects.toMatchObject({
      code: 'disk-full',
    });
    const text = 'a long question '.repeat(10_000);
    await expect(conversations.askText({ conversationId, text })).rejects.toMatchObject({
      code: 'disk-full',
    });
    expect(await store.turns(conversationId)).toEqual([first.question, before]);
    expect((await audio.read(first.question.audio?.sha256 ?? '')).length).toBe(44 + 32000);

    rmSync(filling);
    const later = await conversations.askAudio({ conversationId, samples: tone(300, 5) });
    expect((await conversations.finished(later.answer.id)).status).toBe('complete');
    await store.close();
  });

  test('ends a recording with what was acknowledged, and takes more once there is space', async () => {
    const folder = smallDisk();
    if (folder === null) return;
    const { spool, store } = await openConversations(folder);
    const piece = pcm16(tone(440, 0.25));
    const { id } = await spool.start(null);
    await spool.append(id, piece);
    const filling = fill(folder);
    await expect(spool.append(id, pcm16(tone(440, 2)))).rejects.toMatchObject({ code: 'disk-full' });
    expect((await spool.read(id)).recording.seconds).toBe(0.25);
    rmSync(filling);
    expect((await spool.append(id, piece)).seconds).toBe(0.5);
    expect((await spool.read(id)).samples.length).toBe(8000);
    await store.close();
  });

  test('no database can be made on it, which is said as such', async () => {
    const folder = smallDisk();
    if (folder === null) return;
    fill(folder);
    await expect(openStore({ folder: join(folder, 'home') })).rejects.toMatchObject({ code: 'disk-full' });
  });
});
