import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Sqlite, { type Database } from 'better-sqlite3';
import { z } from 'zod';
import { ParlanceError } from '../contract/index.ts';
import { writeDurably } from '../platform/durable-file.ts';

const instanceSchema = z.object({
  pid: z.number().int().positive(),
  port: z.number().int().min(1).max(65_535),
  key: z.string().min(32),
});
/** The running browser mode of a home: its process, its port, and the key that buys a fresh address. */
type Instance = z.infer<typeof instanceSchema>;

/** How long a second start waits for the first one, which may still be opening its database. */
const patienceMs = 20_000;
const pollMs = 100;

/** The right to be the one browser mode over a home. It ends with the process, however that ends. */
export interface InstanceLock {
  /** Says where this instance is, for a second start. */
  announce(port: number, key: string): Promise<void>;
  release(): Promise<void>;
}

export function newInstanceKey(): string {
  return randomBytes(32).toString('base64url');
}

const announcement = (folder: string) => join(folder, 'instance.json');

/**
 * Takes the lock of a home; null when another process has it. It is SQLite's lock on an empty file: held by the system,
 * which lets go of it when the process dies, on every platform. Throws `file-unreadable` when the folder may not be written.
 */
export function lockInstance(folder: string): InstanceLock | null {
  const database = lockedDatabase(join(folder, 'instance.lock'));
  if (database === null) return null;
  return {
    async announce(port, key) {
      const instance: Instance = { pid: process.pid, port, key };
      await writeDurably(announcement(folder), Buffer.from(JSON.stringify(instance)));
    },
    async release() {
      await rm(announcement(folder), { force: true });
      database.close();
    },
  };
}

function lockedDatabase(path: string): Database | null {
  let database: Database | null = null;
  try {
    database = new Sqlite(path, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database?.close();
    if ((cause as { code?: unknown }).code === 'SQLITE_BUSY') return null;
    throw new ParlanceError(
      'file-unreadable',
      `${path} cannot be locked: ${(cause as Error).message}.`,
      'Make the folder writable, or name another in PARLANCE_HOME.',
      { cause },
    );
  }
}

/** Null while it is absent: the instance has the lock and is not ready yet. */
async function read(folder: string): Promise<Instance | null> {
  try {
    return instanceSchema.parse(JSON.parse(await readFile(announcement(folder), 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

async function freshAddress({ port, key }: Instance, instancePath: string): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${instancePath}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(5000),
    });
    return z.object({ address: z.url() }).parse(await response.json()).address;
  } catch {
    // What was announced is of an instance that is gone, or one that is just going; the lock tells which.
    return null;
  }
}

/**
 * The lock, or the address of the instance that has it, with a fresh token. Waits for one that is just starting or
 * ending. Rejects with engine-busy when it does not answer.
 */
export async function lockOrAddress(
  folder: string,
  instancePath: string,
  waitMs = patienceMs,
): Promise<{ lock: InstanceLock } | { address: string }> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const lock = lockInstance(folder);
    if (lock !== null) return { lock };
    const instance = await read(folder);
    const address = instance === null ? null : await freshAddress(instance, instancePath);
    if (address !== null) return { address };
    if (performance.now() > deadline) throw doesNotAnswer(instance);
    await delay(pollMs);
  }
}

function doesNotAnswer(instance: Instance | null): ParlanceError {
  const which = instance === null ? '' : ` (process ${instance.pid})`;
  return new ParlanceError(
    'engine-busy',
    `Parlance runs already${which} and does not answer.`,
    'Wait a moment and start it again; if it stays so, end that process.',
  );
}
