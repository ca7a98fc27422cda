import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readWav } from '../../../src-main/voice/wav.ts';
import { wavBytes, writeWav } from '../../../src-main/voice/wav-file.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

test('pieces become one sound that reads back, clipped where it is too loud', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'spoken.wav');
  await writeWav(path, [Float32Array.of(0, 0.5), Float32Array.of(-0.25, 2)], 24_000);
  const { samples, sampleRate } = readWav(await readFile(path), path);
  expect(sampleRate).toBe(24_000);
  expect([...samples].map((sample) => Number(sample.toFixed(3)))).toEqual([0, 0.5, -0.25, 1]);
  expect(await readdir(folder)).toEqual(['spoken.wav']);
});

test('a file that cannot be written leaves nothing behind', async () => {
  const folder = temporaryFolder();
  await writeWav(join(folder, 'taken'), [new Float32Array(1)], 24_000);
  await expect(writeWav(join(folder, 'taken', 'x.wav'), [new Float32Array(1)], 24_000)).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['taken']);
});

test('the header says how long it is', () => {
  expect(wavBytes([new Float32Array(10)], 24_000)).toHaveLength(64);
});
