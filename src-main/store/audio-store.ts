import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AudioClip, type AudioStorePort, ParlanceError } from '../contract/index.ts';
import { syncFolder, writeDurably } from '../platform/durable-file.ts';
import { fileSize } from '../platform/file-size.ts';
import { clipPath } from './clip-files.ts';
import { clipSampleRate, clipWav } from './clip-wav.ts';
import { loudnessBars } from './loudness-bars.ts';
import type { ClipLedger } from './protocol.ts';
import { storeError } from './store-errors.ts';

export interface OpenAudioStoreOptions {
  /** The folder that the store was opened with: sound lies in its `audio` folder. */
  readonly folder: string;
  readonly clips: ClipLedger;
}

function missing(sha256: string, cause?: unknown): ParlanceError {
  return new ParlanceError(
    'file-missing',
    `The sound ${sha256.slice(0, 12)}… is not on this disk.`,
    'Its file was removed from the audio folder by something other than Parlance; bring it back from a copy.',
    { cause },
  );
}

/**
 * Opens the store of recorded sound and removes what a dead process left there without a turn. Its methods reject with
 * ParlanceError file-missing, disk-full or database-readonly (the folder may not be written).
 */
export async function openAudioStore({ folder, clips }: OpenAudioStoreOptions): Promise<AudioStorePort> {
  await clips.sweepClips();

  async function path(sha256: string): Promise<string> {
    // A hash and nothing else ever becomes part of a path.
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw missing(sha256);
    const file = clipPath(folder, sha256);
    if ((await fileSize(file)) === null) throw missing(sha256);
    return file;
  }

  return {
    path,

    async put(samples): Promise<AudioClip> {
      const wav = clipWav(samples);
      const sha256 = createHash('sha256').update(wav).digest('hex');
      const clip = { sha256, seconds: samples.length / clipSampleRate, bars: loudnessBars(samples) };
      const file = clipPath(folder, sha256);
      // Held before the file is looked at: from here on no other process removes it.
      await clips.holdClip(clip);
      try {
        if ((await fileSize(file)) === wav.length) await syncFolder(dirname(file));
        else await writeDurably(file, wav);
      } catch (error) {
        throw storeError(error, file);
      }
      return clip;
    },

    async read(sha256) {
      return new Uint8Array(await readFile(await path(sha256)));
    },

    async remove(sha256) {
      await path(sha256);
      await clips.releaseClip(sha256);
    },
  };
}
