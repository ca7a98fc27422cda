import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AudioEmbeddingsCache, audioEmbeddings } from '../../../src-main/engine/caches/audio-embeddings.ts';
import { forgetClip } from '../../../src-main/engine/caches/clip-cache.ts';
import {
  type CacheForm,
  forgetConversation,
  readSnapshot,
  snapshotPath,
  writeSnapshot,
} from '../../../src-main/engine/caches/kv-snapshot.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const form: CacheForm = {
  bundle: 'b1',
  loraScale: 2,
  type: 'float32',
  layers: 2,
  kvHeads: 1,
  headSize: 4,
};
const units = [5, { audio: 'clip', positions: 3 }, 6];
const rows = Float32Array.from({ length: 2 * 2 * 1 * 5 * 4 }, (_, i) => i / 7);
const answers = new Map([['hash', [1, 2, 3]]]);
const unlimited = 2 ** 30;

const write = (folder: string, id: string, maxBytes = unlimited) =>
  writeSnapshot(folder, id, 'cascade', form, { units, answers, rows }, maxBytes);
const read = (folder: string, id: string, wanted = form) => readSnapshot(folder, id, 'cascade', wanted);

describe('keys and values on disk', () => {
  it('come back as they were written, in floats and in bytes', async () => {
    const folder = temporaryFolder();
    await write(folder, 'c1');
    expect(await read(folder, 'c1')).toEqual({ units, answers, rows });
    expect(await readSnapshot(folder, 'c1', 'speech-llm', form)).toBeNull();
    const bytes = { ...form, type: 'int8' as const };
    const int8 = Int8Array.from(rows);
    await writeSnapshot(folder, 'c2', 'cascade', bytes, { units, answers, rows: int8 }, unlimited);
    expect((await read(folder, 'c2', bytes))?.rows).toEqual(int8);
  });

  it('are refused when a single byte changed, wherever it lies', async () => {
    const folder = temporaryFolder();
    await write(folder, 'c1');
    const path = snapshotPath(folder, 'c1', 'cascade');
    const whole = readFileSync(path);
    for (const at of [0, 9, 20, whole.length >> 1, whole.length - 40, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      await expect(read(folder, 'c1'), `byte ${at}`).rejects.toThrow(path);
    }
    for (const length of [0, 11, 60, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      await expect(read(folder, 'c1'), `${length} bytes`).rejects.toThrow(path);
    }
  });

  it('are refused by another bundle, LoRA strength or shape', async () => {
    const folder = temporaryFolder();
    await write(folder, 'c1');
    for (const other of [{ bundle: 'b2' }, { loraScale: 0 }, { layers: 3 }, { type: 'int8' as const }])
      await expect(read(folder, 'c1', { ...form, ...other })).rejects.toThrow('another bundle');
  });

  it('give way, the longest unused first, when they take more than their share of the disk', async () => {
    const folder = temporaryFolder();
    await write(folder, 'old');
    await write(folder, 'used');
    const bytes = statSync(snapshotPath(folder, 'old', 'cascade')).size;
    for (const id of ['old', 'used']) utimesSync(snapshotPath(folder, id, 'cascade'), 1000, 1000);
    await read(folder, 'used');
    await write(folder, 'new', 2 * bytes + 10);
    expect(readdirSync(join(folder, 'kv')).toSorted()).toEqual(['new-cascade.kv', 'used-cascade.kv']);
  });

  it('of a deleted conversation are gone, and a process that still holds them writes them no more', async () => {
    const folder = temporaryFolder();
    await write(folder, 'c1');
    await forgetConversation(folder, 'c1');
    expect(existsSync(snapshotPath(folder, 'c1', 'cascade'))).toBe(false);
    await write(folder, 'c1');
    expect(existsSync(snapshotPath(folder, 'c1', 'cascade'))).toBe(false);
  });

  it('cannot be asked for by an id that leaves the folder', async () => {
    await expect(write(temporaryFolder(), '../../etc/passwd')).rejects.toThrow();
  });
});

describe('encoded clips on disk', () => {
  const clip = 'a'.repeat(64);
  const place = (cacheFolder: string, bundle = 'b1') => ({ cacheFolder, bundle, log: () => undefined });

  it('come back for the bundle that made them, and are gone when their sound is deleted', async () => {
    const folder = temporaryFolder();
    const cache = new AudioEmbeddingsCache(place(folder), 2);
    const heard = audioEmbeddings(Float32Array.from([1, 2, 3, 4, 5, 6]), 2, 'ok');
    await cache.write(clip, heard);
    expect(await cache.read(clip)).toEqual(heard);
    expect(heard.positions).toBe(3);
    expect(await new AudioEmbeddingsCache(place(folder, 'b2'), 2).read(clip)).toBeNull();
    await forgetClip(folder, clip);
    expect(await cache.read(clip)).toBeNull();
  });

  it('are made again when damaged: the file is deleted, and the log says so without its content', async () => {
    const folder = temporaryFolder();
    const events: object[] = [];
    const cache = new AudioEmbeddingsCache({ ...place(folder), log: (event) => events.push(event) }, 2);
    await cache.write(clip, audioEmbeddings(Float32Array.from([1, 2]), 2, 'secret words'));
    const [name = ''] = readdirSync(join(folder, 'embeddings'));
    const path = join(folder, 'embeddings', name);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 1));
    expect(await cache.read(clip)).toBeNull();
    expect(existsSync(path)).toBe(false);
    expect(events).toMatchObject([{ event: 'embeddings-unusable' }]);
    expect(JSON.stringify(events)).not.toContain('secret');
  });
});
