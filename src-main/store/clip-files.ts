import { join } from 'node:path';

export const audioFolder = (folder: string) => join(folder, 'audio');

/** `audio/ab/<sha256>.wav`: two hundred folders keep each of them short. */
export const clipPath = (folder: string, sha256: string) =>
  join(audioFolder(folder), sha256.slice(0, 2), `${sha256}.wav`);
