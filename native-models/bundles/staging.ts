import { existsSync, readdirSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ModelError } from '../errors.ts';

/**
 * Makes a folder all at once: `body` fills a folder beside it, which takes its name only when everything is on the disk. When
 * `body` throws, or the process dies, what was at `out` before is still there and whole.
 * Throws `bundle-invalid` when `out` is a folder of something else.
 */
export async function stageFolder<T>(out: string, body: (folder: string) => Promise<T>): Promise<T> {
  const target = resolve(out);
  refuseForeign(target);
  await mkdir(dirname(target), { recursive: true });
  await sweepAbandoned(target);
  const draft = `${draftPrefix(target)}${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
  try {
    const result = await body(draft);
    await syncFolder(draft);
    await swap(draft, target);
    return result;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Waits until a file's bytes are on the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function draftPrefix(target: string): string {
  return join(dirname(target), `.${basename(target)}.building-`);
}

function refuseForeign(target: string): void {
  if (!existsSync(target) || existsSync(join(target, 'bundle.json'))) return;
  let entries: string[] = ['it is a file'];
  try {
    entries = readdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error;
  }
  if (entries.length > 0)
    throw new ModelError(
      'bundle-invalid',
      `${target} is there and is no bundle.`,
      'Name a folder that is new, empty, or a bundle to be replaced.',
    );
}

/** Removes what builds of the same bundle left behind when they were killed. */
async function sweepAbandoned(target: string): Promise<void> {
  const prefix = basename(draftPrefix(target));
  for (const name of readdirSync(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number(name.slice(prefix.length).replace('-old', ''));
    if (!isRunning(owner)) await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

/** Whether a process of that id runs: what one that does not run left behind may be removed. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function swap(draft: string, target: string): Promise<void> {
  const old = `${draft}-old`;
  if (existsSync(target)) await rename(target, old);
  try {
    await rename(draft, target);
  } catch (error) {
    if (existsSync(old)) await rename(old, target);
    throw error;
  }
  await syncFolder(dirname(target));
  await rm(old, { recursive: true, force: true });
}

/** Makes new names in a folder last. Windows has no such call for folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
