import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Ends the names of files that are being written; whoever sweeps a folder may remove old ones. */
export const partialSuffix = '.partial';

/** Flushes a folder's list of names, without which a renamed file may be gone after a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows has no handle to a folder; NTFS journals names by itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder and its parents, and flushes the names that were new. */
export async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true });
  if (firstMade === undefined) return;
  for (let made = folder; made.length >= firstMade.length; made = dirname(made))
    await syncFolder(dirname(made));
}

/**
 * Writes a file that is either whole and on disk, or absent: a partial file beside it, fsync, rename, fsync of the
 * folder. Throws the system's error (ENOSPC, EROFS …) and leaves nothing behind.
 */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  const partial = join(folder, `${randomUUID()}${partialSuffix}`);
  try {
    const handle = await open(partial, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await syncFolder(folder);
}
