import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import { parseRecipe } from '../../../native-models/bundles/recipe.ts';
import { openBundle, verifyBundle } from '../../../native-models/bundles/verify.ts';
import { writeTinyWhisper } from './tiny-whisper.ts';

let home: string;
let bundle: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'parlance-verify-'));
  writeTinyWhisper(join(home, 'tiny'));
  const recipe = parseRecipe('{"id":"tiny","encoder":{"architecture":"whisper","from":"tiny"}}', 'r');
  await buildBundle({ recipe, recipeFolder: home, out: join(home, 'whole') });
});
afterAll(() => rmSync(home, { recursive: true }));
beforeEach(() => {
  bundle = mkdtempSync(join(home, 'bundle-'));
  cpSync(join(home, 'whole'), bundle, { recursive: true });
});

const part = 'whisper-encoder.data';
function changeManifest(change: (manifest: Record<string, unknown>) => void): void {
  const path = join(bundle, 'bundle.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}
function flipByte(): void {
  const bytes = readFileSync(join(bundle, part));
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  writeFileSync(join(bundle, part), bytes);
}

describe('opening a bundle', () => {
  it('hashes every file the first time, and none while nothing touched them', async () => {
    const hashed = new Set<string>();
    const manifest = await openBundle(bundle, ({ file }) => hashed.add(file));
    expect([...hashed].toSorted()).toEqual(manifest.files.map(({ path }) => path).toSorted());
    hashed.clear();
    await openBundle(bundle, ({ file }) => hashed.add(file));
    expect(hashed.size).toBe(0);
    await verifyBundle(bundle, ({ file }) => hashed.add(file));
    expect(hashed.size).toBe(manifest.files.length);
  });

  it('sees one changed byte, before and after it was found right, even with its time put back', async () => {
    flipByte();
    const corrupt = {
      code: 'bundle-corrupt',
      message: expect.stringMatching(/whisper-encoder\.data.*[0-9a-f]{64}.*[0-9a-f]{64}/),
    };
    await expect(openBundle(bundle)).rejects.toMatchObject(corrupt);
    flipByte();
    await openBundle(bundle);
    flipByte();
    utimesSync(join(bundle, part), new Date(0), new Date(0));
    await expect(openBundle(bundle)).rejects.toMatchObject(corrupt);
    await expect(verifyBundle(bundle)).rejects.toMatchObject(corrupt);
  });

  it('sees a file that grew or is cut off', async () => {
    appendFileSync(join(bundle, part), 'x');
    await expect(openBundle(bundle)).rejects.toMatchObject({ code: 'bundle-corrupt' });
    writeFileSync(join(bundle, part), '');
    await expect(openBundle(bundle)).rejects.toMatchObject({ code: 'bundle-corrupt' });
  });

  it('names the part that is missing', async () => {
    rmSync(join(bundle, part));
    await expect(openBundle(bundle)).rejects.toMatchObject({
      code: 'bundle-incomplete',
      message: expect.stringContaining(part),
    });
    rmSync(join(bundle, 'bundle.json'));
    await expect(openBundle(bundle)).rejects.toMatchObject({ code: 'bundle-incomplete' });
    await expect(openBundle(join(home, 'nowhere'))).rejects.toMatchObject({ code: 'bundle-incomplete' });
  });

  it('refuses a manifest of a newer version, whatever else it says', async () => {
    writeFileSync(join(bundle, 'bundle.json'), '{"manifest":2,"everything":"else"}');
    await expect(openBundle(bundle)).rejects.toMatchObject({
      code: 'bundle-newer',
      message: expect.stringContaining('2'),
    });
  });

  it('refuses a manifest that is not one, leads out of the folder, or uses what it gives no hash for', async () => {
    writeFileSync(join(bundle, 'bundle.json'), 'no JSON');
    await expect(openBundle(bundle)).rejects.toMatchObject({ code: 'bundle-invalid' });
    for (const path of ['../secret', '/etc/passwd', 'C:\\x', 'a/../../b', '']) {
      cpSync(join(home, 'whole', 'bundle.json'), join(bundle, 'bundle.json'));
      changeManifest((manifest) => {
        manifest.files = [{ path, bytes: 0, sha256: '0'.repeat(64) }];
      });
      await expect(openBundle(bundle)).rejects.toMatchObject({ code: 'bundle-invalid' });
    }
    cpSync(join(home, 'whole', 'bundle.json'), join(bundle, 'bundle.json'));
    changeManifest((manifest) => {
      manifest.files = (manifest.files as { path: string }[]).filter(
        ({ path }) => path !== 'whisper-encoder.onnx',
      );
    });
    await expect(openBundle(bundle)).rejects.toThrow(/uses whisper-encoder\.onnx but does not list its hash/);
  });

  it('refuses a link in place of a file', async () => {
    rmSync(join(bundle, part));
    symlinkSync(join(home, 'whole', part), join(bundle, part));
    await expect(openBundle(bundle)).rejects.toMatchObject({ code: 'bundle-invalid' });
  });

  it('works where nothing can be written, and believes no record that is garbled or of another manifest', async () => {
    await openBundle(bundle);
    const record = `${home}/.${bundle.split('/').at(-1)}.verified.json`;
    writeFileSync(record, '{"garbled');
    await openBundle(bundle);
    const files = JSON.parse(readFileSync(record, 'utf8')).files;
    flipByte();
    writeFileSync(record, JSON.stringify({ manifestHash: 'another', files }));
    await expect(openBundle(bundle)).rejects.toMatchObject({ code: 'bundle-corrupt' });
    flipByte();
    rmSync(record);
    chmodSync(home, 0o555);
    try {
      expect((await openBundle(bundle)).id).toBe('tiny');
    } finally {
      chmodSync(home, 0o755);
    }
  });
});
