import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type Owner, ownerSchema, thisProcess } from '../platform/owner-process.ts';
import { throwIfCancelled } from './web.ts';

const lookAgainMs = 300;

function lockPath(models: string, id: string): string {
  return join(models, `.${id}.lock`);
}

async function ownerOf(path: string): Promise<Owner | null> {
  try {
    const owner = ownerSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    // A lock is whole or absent, so one that cannot be read was made by no living process.
    return owner.success ? owner.data : { pid: 1, started: 'unreadable' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (error instanceof SyntaxError) return { pid: 1, started: 'unreadable' };
    throw error;
  }
}

/** Whether a living process downloads or builds this bundle. */
export async function isLocked(models: string, id: string): Promise<boolean> {
  const owner = await ownerOf(lockPath(models, id));
  return owner !== null && (await isAlive(owner));
}

/** Makes the lock with its content at once: a process killed in between leaves none that cannot be judged. */
async function take(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(owner));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the lock of a process that is gone; if another one took its place meanwhile, that one is put back. */
async function clear(path: string, dead: Owner): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const found = await ownerOf(aside);
  if (found?.pid !== dead.pid || found.started !== dead.started) await rename(aside, path);
  else await rm(aside, { force: true });
}

/**
 * Does something that only one process at a time may do to a bundle. Waits while another living process does it; a
 * lock left by a process that was killed does not count. Rejects with `cancelled` when the signal aborts the wait.
 */
export async function withBundleLock<T>(
  models: string,
  id: string,
  options: { onWait?(): void; signal?: AbortSignal | undefined },
  body: () => Promise<T>,
): Promise<T> {
  const path = lockPath(models, id);
  await mkdir(models, { recursive: true });
  const owner = await thisProcess();
  let told = false;
  while (!(await take(path, owner))) {
    throwIfCancelled(options.signal);
    const holder = await ownerOf(path);
    if (holder !== null && !(await isAlive(holder))) {
      await clear(path, holder);
      continue;
    }
    if (!told) options.onWait?.();
    told = true;
    await delay(lookAgainMs);
  }
  try {
    return await body();
  } finally {
    await rm(path, { force: true });
  }
}
