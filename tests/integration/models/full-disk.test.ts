import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { obtainFile } from '../../../src-main/models/download.ts';
import { openWeb } from '../../../src-main/models/web.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { FileServer, sha256, someBytes } from './file-server.ts';

const megabyte = 1024 * 1024;
const body = someBytes(3 * megabyte);

/** A disk of 4 MB; null, with the reason printed, where this user or system cannot have one. */
function smallDisk(): string | null {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    console.log(`not tested on a full disk: none can be mounted here (${String(error).split('\n')[0]})`);
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
  });
  return folder;
}

async function parts(folder: string) {
  const server = await FileServer.start();
  const web = openWeb();
  onTestFinished(async () => {
    await web.close();
    await server.stop();
  });
  const source = { kind: 'url', url: server.url('/weights') } as const;
  const file = { path: 'weights.bin', bytes: body.length, sha256: sha256(body), sources: [source] };
  return { server, file, options: { web, folder, indexes: [] } };
}

it('too little space: says how much is missing before a byte is fetched', async () => {
  const folder = smallDisk();
  if (folder === null) return;
  const { server, file, options } = await parts(folder);
  server.files.set('/weights', { body });
  writeFileSync(join(folder, 'other'), new Uint8Array(2 * megabyte));
  await expect(obtainFile(file, options)).rejects.toMatchObject({
    code: 'disk-full',
    message: expect.stringMatching(/4 MB more are needed in .*, 2 MB are missing/),
    hint: expect.stringContaining('Free 2 MB'),
  });
});

it('a disk that fills up on the way: what came is kept, and a later call goes on from there', async () => {
  const folder = smallDisk();
  if (folder === null) return;
  const { server, file, options } = await parts(folder);
  const other = join(folder, 'other');
  const partial = join(folder, 'weights.bin.part');
  server.files.set('/weights', {
    body,
    etag: '"one"',
    onPiece: async (sent) => {
      if (sent !== megabyte) return;
      const size = (): number => statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
      await expect.poll(size, { interval: 5 }).toBeGreaterThan(megabyte / 2);
      // Another program takes the space that was free when the download began.
      writeFileSync(other, new Uint8Array(2 * megabyte));
    },
  });
  await expect(obtainFile(file, options)).rejects.toMatchObject({
    code: 'disk-full',
    message: expect.stringMatching(/ are missing\.$/),
  });
  const kept = statSync(partial).size;
  expect(kept).toBeGreaterThan(0);

  rmSync(other);
  server.files.set('/weights', { body, etag: '"one"' });
  const path = await obtainFile(file, options);
  expect(server.requests.at(-1)?.range).toBe(`bytes=${kept}-`);
  expect(sha256(readFileSync(path))).toBe(sha256(body));
});
