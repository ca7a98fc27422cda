import { stat } from 'node:fs/promises';

/** Bytes of a file; null when there is none. Other failures are the system's own. */
export async function fileSize(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
