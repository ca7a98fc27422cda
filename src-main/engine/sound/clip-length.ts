import { stat } from 'node:fs/promises';
import { clipUnreadable, sampleRate } from './wav.ts';

/** Length of a stored clip by its size, 16-bit samples behind a header of 44 bytes. Throws file-missing. */
export async function clipSeconds(path: string): Promise<number> {
  try {
    const { size } = await stat(path);
    return Math.max(0, size - 44) / (2 * sampleRate);
  } catch (cause) {
    throw clipUnreadable(path, cause);
  }
}
