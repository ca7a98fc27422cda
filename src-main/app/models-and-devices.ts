import { readdir } from 'node:fs/promises';
import { type BundleSummary, ParlanceError } from '../contract/index.ts';
import { chooseBundle } from './bundle-choice.ts';
import type { ModelsAndDevices } from './composition.ts';
import type { Home } from './home.ts';

/** The bundles that are on this disk. */
export function installedBundles(home: Home): ModelsAndDevices {
  async function listBundles(): Promise<BundleSummary[]> {
    const names = (await readdir(home.models)).filter((name) => !name.startsWith('.'));
    return names.map((name) => {
      const { folder, manifest } = chooseBundle(home.models, name);
      const { id, summary, licence, languages, preferredEngine } = manifest;
      const installedBytes = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
      const state = 'installed';
      const card = { id, name: manifest.name, summary, licence, languages, preferredEngine };
      return { ...card, folder, installedBytes, state, downloadBytes: installedBytes };
    });
  }
  return {
    listBundles,
    pullBundle: (id) =>
      Promise.reject(new ParlanceError('not-supported', `${id} cannot be fetched.`, 'Copy it.')),
    reportDevices: async () => [{ provider: 'cpu', works: true, reason: null, stepMs: null }],
    chooseProvider: async () => 'cpu',
  };
}
