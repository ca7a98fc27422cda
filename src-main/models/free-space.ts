import { statfs } from 'node:fs/promises';
import { ParlanceError } from '../contract/index.ts';

/** Bytes in the unit a person reads on a disk. */
export function megabytes(bytes: number): string {
  return `${Math.max(1, Math.ceil(bytes / 1e6))} MB`;
}

/** Bytes that this person may still write beside `folder`. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The failure that says how much is missing. What was downloaded stays and is used the next time. */
export async function diskFull(folder: string, neededBytes: number, cause?: unknown): Promise<ParlanceError> {
  const missing = Math.max(0, neededBytes - (await freeBytes(folder)));
  return new ParlanceError(
    'disk-full',
    `The disk is full: ${megabytes(neededBytes)} more are needed in ${folder}, ${megabytes(missing)} are missing.`,
    `Free ${megabytes(missing)} and start again: what was downloaded is kept and goes on from there.`,
    { cause },
  );
}

/** Rejects with `disk-full` when less is free than needed. */
export async function needFreeSpace(folder: string, neededBytes: number): Promise<void> {
  if ((await freeBytes(folder)) < neededBytes) throw await diskFull(folder, neededBytes);
}

export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
