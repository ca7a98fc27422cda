import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { forkEngine } from '../../../src-main/engine/process/forked-engine.ts';
import type { ModelsPlace } from '../../../src-main/models/place.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { writeTinyWhisper } from '../../unit/bundles/tiny-whisper.ts';
import { FileServer, sha256 } from './file-server.ts';

const card = {
  name: 'Tiny',
  summary: 'A Whisper with random weights.',
  licence: 'CC0-1.0',
  languages: ['en'],
  preferredEngine: 'cascade',
  generation: { maxTokens: 16, temperature: 0, topP: 1, repetitionPenalty: 1 },
  figures: [],
};

/** A home, and a catalogue of one bundle that is small enough to be built in a blink, published on a real server. */
export async function tinyCatalogue(): Promise<{ place: ModelsPlace; server: FileServer; home: string }> {
  const server = await FileServer.start();
  onTestFinished(() => server.stop());
  const root = temporaryFolder();
  const [published, resources, home] = ['published', 'resources', 'home'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  writeTinyWhisper(published);
  mkdirSync(join(resources, 'tiny'), { recursive: true });
  const files = readdirSync(published).map((name) => {
    const body = readFileSync(join(published, name));
    server.files.set(`/${name}`, { body, etag: `"${name}"` });
    const sources = [{ kind: 'url', url: server.url(`/${name}`) }];
    return { path: `tiny-whisper/${name}`, bytes: body.length, sha256: sha256(body), sources };
  });
  const provenance = files.map(({ path, sha256: hash }) => ({
    file: path,
    sha256: hash,
    source: 'made here',
    licence: 'CC0-1.0',
  }));
  const recipe = {
    id: 'tiny',
    encoder: { architecture: 'whisper', from: 'tiny-whisper' },
    card: { ...card, provenance },
  };
  const bundles = [{ id: 'tiny', recipe: 'tiny/recipe.json', installedBytes: 1_000_000, files }];
  writeFileSync(join(resources, 'tiny/recipe.json'), JSON.stringify(recipe));
  writeFileSync(
    join(resources, 'catalogue.json'),
    JSON.stringify({ catalogue: 1, defaultBundle: 'tiny', bundles }),
  );
  const place: ModelsPlace = {
    home: {
      models: join(home, 'models'),
      downloads: join(home, 'downloads'),
      devicesFile: join(home, 'devices.json'),
    },
    resources,
    environment: {},
    startProcess: (module, args) => forkEngine(entryOf(module), args),
  };
  return { place, server, home };
}

function entryOf(module: string): string {
  return fileURLToPath(new URL(`../../../src-main/app/${module}.ts`, import.meta.url));
}
