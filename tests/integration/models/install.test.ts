import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { builderVersion } from '../../../native-models/bundles/manifest.ts';
import type { ModelProgress } from '../../../src-main/contract/index.ts';
import {
  defaultBundle,
  listBundles,
  removeBundle,
  verifyInstalled,
} from '../../../src-main/models/bundles.ts';
import { importBundle } from '../../../src-main/models/import.ts';
import { pullBundle } from '../../../src-main/models/install.ts';
import type { ModelsPlace } from '../../../src-main/models/place.ts';
import { tinyCatalogue } from './tiny-catalogue.ts';

const pullScript = fileURLToPath(new URL('../../fixtures/models/pull.ts', import.meta.url));

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

async function stateOf(place: ModelsPlace): Promise<string | undefined> {
  return (await listBundles(place)).find(({ id }) => id === 'tiny')?.state;
}

describe('installing a bundle', () => {
  it('downloads, builds and lists it, and leaves no download behind', async () => {
    const { place } = await tinyCatalogue();
    expect(await stateOf(place)).toBe('available');
    expect(await defaultBundle(place)).toBeNull();
    const progress: ModelProgress[] = [];
    const summary = await pullBundle('tiny', { place, onProgress: (each) => progress.push(each) });
    expect(summary).toMatchObject({ id: 'tiny', name: 'Tiny', state: 'installed' });
    expect(summary.folder).toBe(join(place.home.models, 'tiny'));
    expect(summary.installedBytes).toBeGreaterThan(0);
    const phases = progress.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
    expect(phases[0]).toBe('downloading');
    expect(phases.slice(-2)).toEqual(['building', 'done']);
    expect((await defaultBundle(place))?.id).toBe('tiny');
    await expect(verifyInstalled(place, 'tiny')).resolves.toMatchObject({ id: 'tiny' });
    expect(namesIn(join(place.home.downloads, 'tiny-whisper'))).toEqual([]);
  });

  it('asks no server when it is installed and whole', async () => {
    const { place, server } = await tinyCatalogue();
    await pullBundle('tiny', { place });
    const asked = server.requests.length;
    await pullBundle('tiny', { place });
    expect(server.requests).toHaveLength(asked);
  });

  it('builds anew what another version of the foundry built, out of the downloads that are there', async () => {
    const { place, server } = await tinyCatalogue();
    const { folder } = await pullBundle('tiny', { place, keepDownloads: true });
    const path = join(folder ?? '', 'bundle.json');
    const built = readFileSync(path, 'utf8');
    server.files.clear();
    for (const builder of [builderVersion + 1, undefined]) {
      writeFileSync(path, JSON.stringify({ ...JSON.parse(built), builder }));
      expect(await stateOf(place)).toBe('installed');
      await pullBundle('tiny', { place, keepDownloads: true });
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(built));
    }
  });

  it('offline after an update: the bundle of before, which is whole, stays in use, and that is said', async () => {
    const { place, server } = await tinyCatalogue();
    const { folder } = await pullBundle('tiny', { place });
    const path = join(folder ?? '', 'bundle.json');
    const older = JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), builder: builderVersion + 1 });
    writeFileSync(path, older);
    server.files.clear();
    const progress: ModelProgress[] = [];
    const pull = pullBundle('tiny', { place, onProgress: (each) => progress.push(each) });
    await expect(pull).resolves.toMatchObject({ state: 'installed' });
    expect(readFileSync(path, 'utf8')).toBe(older);
    expect(progress.at(-1)?.phase).toBe('done');
    expect(progress.map(({ message }) => message ?? '').join()).toContain('the bundle of before is used');
  });

  it('two at once: the weights are fetched once, and both get the bundle', async () => {
    const { place, server } = await tinyCatalogue();
    const both = await Promise.all([pullBundle('tiny', { place }), pullBundle('tiny', { place })]);
    expect(both.map(({ state }) => state)).toEqual(['installed', 'installed']);
    expect(server.requests.filter(({ path }) => path === '/model.bin')).toHaveLength(1);
  });

  it('keeps the downloads when asked to, and then needs no network to build again', async () => {
    const { place, server } = await tinyCatalogue();
    await pullBundle('tiny', { place, keepDownloads: true });
    expect(namesIn(join(place.home.downloads, 'tiny-whisper'))).toContain('model.bin');
    await removeBundle(place, 'tiny');
    expect(await stateOf(place)).toBe('available');
    server.files.clear();
    await expect(pullBundle('tiny', { place })).resolves.toMatchObject({ state: 'installed' });
  });

  it('fails with the reason of every source, and says so as its last progress', async () => {
    const { place, server } = await tinyCatalogue();
    server.files.clear();
    const progress: ModelProgress[] = [];
    const pull = pullBundle('tiny', { place, onProgress: (each) => progress.push(each) });
    await expect(pull).rejects.toMatchObject({ code: 'download-failed' });
    expect(progress.at(-1)).toMatchObject({
      phase: 'failed',
      message: expect.stringContaining('answered 404'),
    });
    expect(await stateOf(place)).toBe('available');
  });
});

describe('a bundle that is not whole', () => {
  it('a changed byte: verifying names both hashes, installing again repairs it', async () => {
    const { place } = await tinyCatalogue();
    await pullBundle('tiny', { place });
    const part = join(place.home.models, 'tiny/whisper-encoder.onnx');
    const bytes = readFileSync(part);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(part, bytes);
    await expect(verifyInstalled(place, 'tiny')).rejects.toMatchObject({
      code: 'bundle-corrupt',
      message: expect.stringMatching(/whisper-encoder\.onnx.*[0-9a-f]{64}.*[0-9a-f]{64}/),
    });
    await pullBundle('tiny', { place });
    await expect(verifyInstalled(place, 'tiny')).resolves.toMatchObject({ id: 'tiny' });
  });

  it('a missing part: listed as damaged, installing again repairs it', async () => {
    const { place } = await tinyCatalogue();
    await pullBundle('tiny', { place });
    rmSync(join(place.home.models, 'tiny/whisper-encoder.onnx'));
    expect(await stateOf(place)).toBe('damaged');
    await expect(verifyInstalled(place, 'tiny')).rejects.toMatchObject({ code: 'bundle-incomplete' });
    await expect(pullBundle('tiny', { place })).resolves.toMatchObject({ state: 'installed' });
  });

  it('one made by a newer version is left alone', async () => {
    const { place } = await tinyCatalogue();
    await pullBundle('tiny', { place });
    const path = join(place.home.models, 'tiny/bundle.json');
    const newer = readFileSync(path, 'utf8').replace('"manifest": 1', '"manifest": 99');
    writeFileSync(path, newer);
    await expect(pullBundle('tiny', { place })).rejects.toMatchObject({ code: 'bundle-newer' });
    expect(readFileSync(path, 'utf8')).toBe(newer);
  });

  it('one that is not installed cannot be verified or removed', async () => {
    const { place } = await tinyCatalogue();
    await expect(verifyInstalled(place, 'tiny')).rejects.toMatchObject({ code: 'bundle-missing' });
    await expect(removeBundle(place, 'tiny')).rejects.toMatchObject({ code: 'bundle-missing' });
    await expect(removeBundle(place, '../home')).rejects.toMatchObject({ code: 'bundle-missing' });
    await expect(pullBundle('other', { place })).rejects.toMatchObject({ code: 'bundle-missing' });
  });
});

describe('importing a bundle', () => {
  it('one that was built elsewhere is copied, checked, and answers under its id', async () => {
    const made = await tinyCatalogue();
    const { folder } = await pullBundle('tiny', { place: made.place });
    const { place } = await tinyCatalogue();
    const imported = await importBundle(place, folder ?? '');
    expect(imported).toMatchObject({ id: 'tiny', folder: join(place.home.models, 'tiny') });
    await expect(verifyInstalled(place, 'tiny')).resolves.toMatchObject({ id: 'tiny' });
    await expect(importBundle(place, imported.folder)).rejects.toMatchObject({ code: 'bundle-invalid' });
  });

  it('a damaged one is refused, and what was there before stays', async () => {
    const made = await tinyCatalogue();
    const { folder } = await pullBundle('tiny', { place: made.place });
    const { place } = await tinyCatalogue();
    await importBundle(place, folder ?? '');
    const [part = ''] = namesIn(folder ?? '').filter((name) => name.endsWith('.data'));
    const bytes = readFileSync(join(folder ?? '', part));
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(join(folder ?? '', part), bytes);
    await expect(importBundle(place, folder ?? '')).rejects.toMatchObject({ code: 'bundle-corrupt' });
    await expect(verifyInstalled(place, 'tiny')).resolves.toMatchObject({ id: 'tiny' });
    expect(namesIn(place.home.models).filter((name) => name.includes('.building-'))).toEqual([]);
  });
});

describe('interruptions', () => {
  /** The bundle's folder is whole or absent; drafts of others may not look like one. */
  const visible = (place: ModelsPlace): string[] =>
    namesIn(place.home.models).filter((name) => !name.startsWith('.'));

  it('the build process is killed: nothing half is in place, a later call succeeds', async () => {
    const { place } = await tinyCatalogue();
    const fragile: ModelsPlace = {
      ...place,
      startProcess(module, args) {
        const child = place.startProcess(module, args);
        child.onMessage(() => child.kill());
        return child;
      },
    };
    await expect(pullBundle('tiny', { place: fragile })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('signal SIGKILL'),
    });
    expect(visible(place)).toEqual([]);
    await expect(pullBundle('tiny', { place })).resolves.toMatchObject({ state: 'installed' });
    expect(namesIn(place.home.models).filter((name) => name.includes('building'))).toEqual([]);
  });

  it('stopped by a person while it builds: cancelled, nothing half is in place', async () => {
    const { place } = await tinyCatalogue();
    const controller = new AbortController();
    const onProgress = ({ phase }: ModelProgress): void => {
      if (phase === 'building') controller.abort();
    };
    await expect(pullBundle('tiny', { place, onProgress, signal: controller.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(visible(place)).toEqual([]);
  });

  it.each(['downloading', 'building'])(
    'kill -9 of the whole app while %s: a later call goes on',
    async (phase) => {
      const { place, server, home } = await tinyCatalogue();
      const app = spawn(process.execPath, [pullScript, home, place.resources, 'tiny'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for await (const line of createInterface(app.stdout)) {
        if (line !== phase) continue;
        app.kill('SIGKILL');
        break;
      }
      if (app.exitCode === null && app.signalCode === null) await once(app, 'exit');
      expect(visible(place)).toEqual([]);
      const before = server.requests.length;
      await expect(pullBundle('tiny', { place })).resolves.toMatchObject({ state: 'installed' });
      if (phase === 'building') expect(server.requests).toHaveLength(before);
    },
  );

  it('the lock of a process that is gone does not hold anybody up', async () => {
    const { place } = await tinyCatalogue();
    await mkdir(place.home.models, { recursive: true });
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'exit');
    const lock = join(place.home.models, '.tiny.lock');
    await writeFile(lock, JSON.stringify({ pid: gone.pid, started: 'long ago' }));
    await expect(pullBundle('tiny', { place })).resolves.toMatchObject({ state: 'installed' });
    expect(existsSync(lock)).toBe(false);
  });
});
