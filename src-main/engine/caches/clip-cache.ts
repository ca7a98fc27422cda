import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { ParlanceError } from '../../contract/errors.ts';
import type { EngineEvent } from '../listeners.ts';
import {
  boundFolder,
  type CacheFile,
  DamagedCacheFile,
  readCacheFile,
  reasonOf,
  writeCacheFile,
} from './cache-files.ts';

/** Folders of what was worked out from clips, under the cache folder. */
const folders = { embeddings: 'embeddings', transcripts: 'transcripts' } as const;

export interface ClipCachePlace {
  readonly cacheFolder: string;
  /** SHA-256 of bundle.json: another bundle hears otherwise. */
  readonly bundle: string;
  readonly log: (event: EngineEvent) => void;
}

/** What one bundle made of stored clips, by the hash of the clip. A cache that cannot be read or written is only slower. */
export class ClipCache<Schema extends z.ZodType<object>> {
  readonly #place: ClipCachePlace;
  readonly #name: keyof typeof folders;
  readonly #schema: Schema;
  readonly #maxBytes: number;

  constructor(place: ClipCachePlace, name: keyof typeof folders, schema: Schema, maxBytes: number) {
    this.#place = place;
    this.#name = name;
    this.#schema = schema;
    this.#maxBytes = maxBytes;
  }

  /** Null when there is nothing of use. */
  async read(clip: string): Promise<CacheFile<z.output<Schema>> | null> {
    const path = this.#path(clip);
    try {
      return await readCacheFile(path, this.#kind, this.#schema);
    } catch (error) {
      this.#place.log({ event: `${this.#name}-unusable`, reason: reasonOf(error) });
      if (error instanceof DamagedCacheFile) await rm(path, { force: true });
      return null;
    }
  }

  async write(
    clip: string,
    header: z.input<Schema> & object,
    body: readonly Uint8Array[] = [],
  ): Promise<void> {
    const path = this.#path(clip);
    try {
      await writeCacheFile(path, this.#kind, header, body);
      await boundFolder(join(this.#place.cacheFolder, folders[this.#name]), this.#maxBytes);
    } catch (error) {
      this.#place.log({ event: `${this.#name}-not-written`, reason: reasonOf(error) });
    }
  }

  get #kind(): string {
    return `prl-${this.#name.slice(0, 2)}-1`;
  }

  #path(clip: string): string {
    if (!/^[0-9a-f]{64}$/.test(clip))
      throw new ParlanceError(
        'invalid-request',
        'The hash of the clip is not a SHA-256.',
        'Store the sound first; its hash is its name.',
      );
    const name = `${clip}-${this.#place.bundle.slice(0, 16)}.${this.#name}`;
    return join(this.#place.cacheFolder, folders[this.#name], name);
  }
}

/** Deletes everything that was worked out from a clip: to be called when its sound is deleted. */
export async function forgetClip(cacheFolder: string, clip: string): Promise<void> {
  for (const name of Object.values(folders)) {
    const folder = join(cacheFolder, name);
    const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    for (const file of files) if (file.startsWith(`${clip}-`)) await rm(join(folder, file), { force: true });
  }
}
