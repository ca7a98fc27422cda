import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { bundleIdSchema } from '../../native-models/bundles/manifest.ts';
import { stageFolder } from '../../native-models/bundles/staging.ts';
import { verifyBundle } from '../../native-models/bundles/verify.ts';
import { anyManifest } from '../../native-models/published/any-manifest.ts';
import { isPublishedBundle, openPublished } from '../../native-models/published/open-published.ts';
import { ParlanceError } from '../contract/index.ts';
import { withBundleLock } from './bundle-lock.ts';
import { bundleFailure, bundleFolder } from './bundles.ts';
import { needFreeSpace } from './free-space.ts';
import type { ModelsPlace } from './place.ts';
import { throwIfCancelled } from './web.ts';

export interface Imported {
  readonly id: string;
  readonly folder: string;
  readonly bytes: number;
}

/**
 * Copies a bundle that lies anywhere into the models folder, under the id of its manifest, and hashes the copy before it takes
 * its place; one of that id is replaced. Of a published model, which has no hashes, the graphs that would be used are taken.
 * Rejects with the failures of `verifyBundle`, disk-full, cancelled, and bundle-invalid when it is there already and the very same
 * folder.
 */
export async function importBundle(
  place: ModelsPlace,
  from: string,
  signal?: AbortSignal,
): Promise<Imported> {
  try {
    const manifest = anyManifest(from);
    const isPublished = isPublishedBundle(from);
    const id = bundleIdSchema.parse(manifest.id);
    const folder = bundleFolder(place, id);
    if (resolve(from) === resolve(folder)) throw alreadyThere(id);
    const files = [...(isPublished ? [] : ['bundle.json']), ...manifest.files.map(({ path }) => path)];
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    await mkdir(place.home.models, { recursive: true });
    await needFreeSpace(place.home.models, bytes);
    await withBundleLock(place.home.models, id, { signal }, () =>
      stageFolder(folder, async (draft) => {
        for (const file of files) {
          throwIfCancelled(signal);
          await mkdir(dirname(join(draft, file)), { recursive: true });
          await copyFile(join(from, file), join(draft, file));
        }
        // A published model came without hashes: what can be checked is that it is all there.
        if (isPublished) openPublished(draft);
        else await verifyBundle(draft);
      }),
    );
    return { id, folder, bytes };
  } catch (error) {
    throw bundleFailure(error);
  }
}

function alreadyThere(id: string): ParlanceError {
  return new ParlanceError('bundle-invalid', `${id} lies in the models folder already.`, 'Use it as it is.');
}
