import { createHash } from 'node:crypto';
import { z } from 'zod';
import { bytesOf } from './cache-files.ts';
import { ClipCache, type ClipCachePlace } from './clip-cache.ts';

/** A clip as the LLM hears it. */
export interface AudioEmbeddings {
  /** Tells clips apart in a prompt: hash of the vectors. */
  readonly hash: string;
  readonly positions: number;
  /** [positions, hidden] */
  readonly vectors: Float32Array;
  /** The adaptor's CTC head, as text. */
  readonly heardAs: string;
}

const headerSchema = z.object({ positions: z.number().int().nonnegative(), heardAs: z.string() });
/** About eight hours of sound at 3.5 vectors of 576 values a second. */
const maxBytes = 256 * 2 ** 20;

/** Encoded clips on disk, so that earlier spoken turns come back as sound without being encoded again. */
export class AudioEmbeddingsCache {
  readonly #clips: ClipCache<typeof headerSchema>;
  readonly #hidden: number;

  constructor(place: ClipCachePlace, hidden: number) {
    this.#clips = new ClipCache(place, 'embeddings', headerSchema, maxBytes);
    this.#hidden = hidden;
  }

  /** Null when the clip was not encoded yet. */
  async read(clip: string): Promise<AudioEmbeddings | null> {
    const file = await this.#clips.read(clip);
    if (file === null) return null;
    const { positions, heardAs } = file.header;
    if (file.body.byteLength !== 4 * positions * this.#hidden) return null;
    return audioEmbeddings(new Float32Array(file.body.buffer), this.#hidden, heardAs);
  }

  async write(clip: string, { vectors, positions, heardAs }: AudioEmbeddings): Promise<void> {
    await this.#clips.write(clip, { positions, heardAs }, [bytesOf(vectors)]);
  }
}

/** Vectors [positions, hidden] with the hash that names them in a prompt. */
export function audioEmbeddings(vectors: Float32Array, hidden: number, heardAs: string): AudioEmbeddings {
  const hash = createHash('sha256').update(bytesOf(vectors)).digest('hex').slice(0, 32);
  return { hash, positions: vectors.length / hidden, vectors, heardAs };
}
