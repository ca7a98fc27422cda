import { statSync } from 'node:fs';
import { expect } from 'vitest';

/** Resolves when so much of a partial file is on disk. */
export async function stored(path: string, bytes: number): Promise<void> {
  const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  await expect.poll(size, { interval: 5 }).toBeGreaterThanOrEqual(bytes);
}
