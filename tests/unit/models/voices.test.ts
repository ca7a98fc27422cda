import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { ModelsPlace } from '../../../src-main/models/place.ts';
import {
  isVoicePack,
  listVoicePacks,
  removeVoices,
  requireInstalled,
  verifyVoices,
  voicesFolder,
} from '../../../src-main/models/voices.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const resources = fileURLToPath(new URL('../../../resources', import.meta.url));

function place(): ModelsPlace {
  const home = temporaryFolder();
  return {
    home: {
      models: join(home, 'models'),
      downloads: join(home, 'downloads'),
      devicesFile: join(home, 'devices.json'),
    },
    resources,
    environment: {},
    startProcess: () => {
      throw new Error('no process is needed to look at voices');
    },
  };
}

test('54 voices in nine languages are listed, none of them installed', async () => {
  const here = place();
  const [pack] = await listVoicePacks(here);
  expect(pack).toMatchObject({
    id: 'kokoro',
    licence: 'Apache-2.0',
    installed: false,
    downloadBytes: 120_562_231,
  });
  expect(pack?.voices).toHaveLength(54);
  expect(new Set(pack?.voices.map(({ language }) => language)).size).toBe(9);
  expect(pack?.voices.find(({ id }) => id === pack.defaultVoice)).toMatchObject({ sex: 'woman', grade: 'A' });
  expect(await isVoicePack(here, 'kokoro')).toBe(true);
  expect(await isVoicePack(here, 'parlance-mini')).toBe(false);
});

test('what is not installed is told with the command that installs it', async () => {
  const told = { code: 'voices-missing', hint: expect.stringContaining('parlance models pull kokoro') };
  await expect(requireInstalled(place(), 'kokoro')).rejects.toMatchObject(told);
  await expect(verifyVoices(place(), 'kokoro')).rejects.toMatchObject(told);
  await expect(removeVoices(place(), 'kokoro')).rejects.toMatchObject(told);
});

test('a manifest whose files are not there is no whole pack', async () => {
  const here = place();
  const folder = voicesFolder(here, 'kokoro');
  await mkdir(folder, { recursive: true });
  const { pack } = JSON.parse(await readFile(join(resources, 'voices', 'kokoro.json'), 'utf8')) as {
    pack: unknown;
  };
  await writeFile(join(folder, 'voices.json'), JSON.stringify(pack));
  await expect(verifyVoices(here, 'kokoro')).rejects.toMatchObject({ code: 'bundle-corrupt' });
  await removeVoices(here, 'kokoro');
  await expect(requireInstalled(here, 'kokoro')).rejects.toMatchObject({ code: 'voices-missing' });
});
