import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { AudioClip } from '../contract/index.ts';
import { partialSuffix } from '../platform/durable-file.ts';
import { audioFolder, clipPath } from './clip-files.ts';

/** How long a clip that no turn names yet is safe: sound is stored first, and its turn is written right after. */
const holdMs = 10 * 60 * 1000;

/** Loudness in 0..1, in steps of 1/255, as a row keeps it. */
const barsToBytes = (bars: readonly number[]) => Buffer.from(bars.map((bar) => Math.round(bar * 255)));
export const bytesToBars = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte / 255);

/**
 * The ledger of stored sound. A clip lives as long as a turn names it or it is held; taking the file away and striking
 * the row happen under one write lock, so that another process that stores the same sound never loses it.
 */
export function clipsTable(database: Database, folder: string) {
  const upsert = database.prepare(`
    INSERT INTO clips (sha256, seconds, bars, held_until) VALUES (@sha256, @seconds, @bars, @heldUntil)
    ON CONFLICT (sha256) DO UPDATE SET held_until = excluded.held_until`);
  const isNeeded = database
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM turns WHERE audio_sha256 = @sha256)
           OR EXISTS (SELECT 1 FROM clips WHERE sha256 = @sha256 AND held_until > @now)`,
    )
    .pluck();
  const free = database
    .prepare(
      'SELECT sha256 FROM clips WHERE sha256 NOT IN (SELECT audio_sha256 FROM turns WHERE audio_sha256 NOT NULL)',
    )
    .pluck();
  const letGo = database.prepare('UPDATE clips SET held_until = NULL WHERE sha256 = ?');
  const strike = database.prepare('DELETE FROM clips WHERE sha256 = ?');

  const removeIfFree = database.transaction((sha256: string): boolean => {
    if (isNeeded.get({ sha256, now: Date.now() }) === 1) return false;
    strike.run(sha256);
    rmSync(clipPath(folder, sha256), { force: true });
    return true;
  });

  const removeNow = database.transaction((sha256: string): boolean => {
    letGo.run(sha256);
    return removeIfFree(sha256);
  });

  /** Files old enough that no process can still be about to name them. */
  function oldFiles(): string[] {
    const root = audioFolder(folder);
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((name) => join(root, name))
      .filter((path) => {
        const file = statSync(path, { throwIfNoEntry: false });
        return file?.isFile() === true && file.mtimeMs < Date.now() - holdMs;
      });
  }

  function write(clip: AudioClip, heldUntil: number | null): void {
    upsert.run({ sha256: clip.sha256, seconds: clip.seconds, bars: barsToBytes(clip.bars), heldUntil });
  }

  return {
    hold: (clip: AudioClip) => write(clip, Date.now() + holdMs),
    /** A turn is about to name it. */
    own: (clip: AudioClip) => write(clip, null),
    /** Removes the clip's file and row unless a turn names it or it is held. */
    releaseIfFree: (sha256: string) => removeIfFree.immediate(sha256),
    /** The same, whether held or not. */
    release: (sha256: string) => removeNow.immediate(sha256),

    /** Removes sound that a dead process left without a turn. Returns how many files went. */
    sweep(): number {
      const known = z.array(z.string()).parse(free.all());
      let removed = known.filter((sha256) => removeIfFree.immediate(sha256)).length;
      for (const path of oldFiles()) {
        if (path.endsWith(partialSuffix)) rmSync(path, { force: true });
        else if (
          !/^[0-9a-f]{64}\.wav$/.test(basename(path)) ||
          !removeIfFree.immediate(basename(path, '.wav'))
        )
          continue;
        removed += 1;
      }
      return removed;
    },
  };
}
