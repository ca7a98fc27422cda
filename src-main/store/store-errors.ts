import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ParlanceError } from '../contract/index.ts';

function diskFull(cause?: unknown): ParlanceError {
  return new ParlanceError(
    'disk-full',
    'The disk is full.',
    'Free some space and try again; what was already saved stays.',
    { cause },
  );
}

export function readOnly(path: string, cause?: unknown): ParlanceError {
  return new ParlanceError(
    'database-readonly',
    `Parlance may not write to ${path}.`,
    'Give yourself permission to write there, or set PARLANCE_HOME to a folder that can be written.',
    { cause },
  );
}

/** How to go on without the database: a copy made before a migration if there is one, else an empty one. */
function wayOn(path: string): string {
  const backups = join(dirname(path), 'backups');
  const files = `${basename(path)}, ${basename(path)}-wal and ${basename(path)}-shm`;
  const away = `Move ${files} to another folder`;
  const sound = `Recorded sound stays in ${join(dirname(path), 'audio')}.`;
  const copied = existsSync(backups) && readdirSync(backups).some((name) => name.endsWith('.db'));
  return copied
    ? `${away}, then start with an empty database, or put the newest copy from ${backups} in its place. ${sound}`
    : `${away} to start with an empty database; \`sqlite3 ${basename(path)} .recover\` there may bring the text back. ${sound}`;
}

export function corrupt(path: string, detail: string, cause?: unknown): ParlanceError {
  return new ParlanceError(
    'database-corrupt',
    `The database ${path} is damaged (${detail.replace(/\s+/g, ' ')}). It was left as it is.`,
    wayOn(path),
    { cause },
  );
}

/** Processes that the kernel says hold a lock on the database, as `name (process 123)`; empty where it cannot be told. */
function lockHolders(path: string): string[] {
  if (process.platform !== 'linux') return [];
  try {
    const inodes = [path, `${path}-shm`].map((file) => statSync(file, { throwIfNoEntry: false })?.ino);
    const pids = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((field) => field[1] === 'POSIX' && inodes.includes(Number(field[5]?.split(':')[2])))
      .map((field) => Number(field[4]));
    return [...new Set(pids)]
      .filter((pid) => pid !== process.pid)
      .map((pid) => `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`);
  } catch {
    // Only a courtesy: a holder may end while it is being named, or /proc may be hidden. The error goes on without it.
    return [];
  }
}

function locked(path: string, cause: unknown): ParlanceError {
  const holders = lockHolders(path);
  return new ParlanceError(
    'database-locked',
    `Another program has locked the database ${path}${holders.length === 0 ? '' : `: ${holders.join(', ')}`}.`,
    'Close that program (a database browser, a backup or another Parlance that hangs) and try again.',
    { cause },
  );
}

function isFull(path: string): boolean {
  const space = statfsSync(dirname(path));
  return space.bavail * space.bsize < 64 * 1024;
}

/** An error of SQLite or of the file system as one that a person can act on; others pass through. */
export function storeError(thrown: unknown, path: string): unknown {
  if (thrown instanceof ParlanceError || !(thrown instanceof Error)) return thrown;
  const code = (thrown as { code?: unknown }).code;
  if (typeof code !== 'string') return thrown;
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return diskFull(thrown);
  // Growing the shared-memory file on a full disk is reported as plain input/output trouble.
  if (code.startsWith('SQLITE_IOERR') && isFull(path)) return diskFull(thrown);
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return locked(path, thrown);
  if (code.startsWith('SQLITE_READONLY') || ['EACCES', 'EROFS', 'EPERM'].includes(code))
    return readOnly(path, thrown);
  if (code.startsWith('SQLITE_CANTOPEN')) return isFull(path) ? diskFull(thrown) : readOnly(path, thrown);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return corrupt(path, thrown.message, thrown);
  return thrown;
}
