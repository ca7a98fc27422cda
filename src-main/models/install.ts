import { dirname, join } from 'node:path';
import { type BundleManifest, builderVersion } from '../../native-models/bundles/manifest.ts';
import { type Recipe, readRecipe } from '../../native-models/bundles/recipe.ts';
import { type BundleSummary, type ModelProgress, ParlanceError, toFailure } from '../contract/index.ts';
import { fileSize } from '../platform/file-size.ts';
import { runBuild } from './build-run.ts';
import { withBundleLock } from './bundle-lock.ts';
import { bundleFailure, bundleFolder, summaryOf, verifyInstalled } from './bundles.ts';
import { type CatalogueBundle, catalogueBundle, readCatalogue } from './catalogue.ts';
import { obtainFile, removeDownloads } from './download.ts';
import { needFreeSpace } from './free-space.ts';
import { packageIndexes } from './pip-settings.ts';
import type { ModelsPlace } from './place.ts';
import { openWeb } from './web.ts';

export interface PullOptions {
  place: ModelsPlace;
  onProgress?(progress: ModelProgress): void;
  signal?: AbortSignal | undefined;
  /** Leaves the downloaded weights where they are once the bundle is built. */
  keepDownloads?: boolean;
}

/**
 * Installs a bundle of the catalogue: downloads its weights, builds it, puts it in place all at once. One that is
 * installed is hashed again and, when it is whole and made of what the catalogue names now as this version makes it,
 * left as it is. One that an earlier version made stays in use where its weights cannot be fetched now. Two processes that pull the same bundle wait for one another.
 *
 * Rejects with bundle-missing (not in the catalogue), bundle-newer, download-failed, download-hash, disk-full,
 * cancelled and the foundry's failures. Whatever ends it, a later call goes on from there.
 */
export async function pullBundle(id: string, options: PullOptions): Promise<BundleSummary> {
  const { place, signal } = options;
  const bundle = catalogueBundle(await readCatalogue(place.resources), id);
  const tell: Tell = (progress) =>
    options.onProgress?.({
      bundle: id,
      file: '',
      bytes: 0,
      totalBytes: 0,
      source: null,
      message: null,
      ...progress,
    });
  const onWait = (): void =>
    tell({ phase: 'building', message: 'another process is installing it; waiting for that one' });
  try {
    const summary = await withBundleLock(place.home.models, id, { onWait, signal }, async () => {
      const found = await whatIsInstalled(bundle, options);
      if (found !== 'current') await renew(bundle, found === 'older', options, tell);
      if (!options.keepDownloads) await removeDownloads(place.home.downloads, bundle.files);
      return summaryOf(place, bundle, true);
    });
    tell({ phase: 'done' });
    return summary;
  } catch (error) {
    tell({ phase: 'failed', message: toFailure(error).message });
    throw error;
  }
}

type Tell = (progress: Partial<ModelProgress> & Pick<ModelProgress, 'phase'>) => void;

/** `current`: whole, built as this version builds, and made of what the recipe names now; `older`: whole, but not that. */
async function whatIsInstalled(
  bundle: CatalogueBundle,
  { place, onProgress }: PullOptions,
): Promise<'current' | 'older' | 'nothing'> {
  try {
    const manifest = await verifyInstalled(place, bundle.id, onProgress);
    const recipe = readRecipe(join(place.resources, bundle.recipe));
    return manifest.builder === builderVersion && isMadeOf(manifest, recipe) ? 'current' : 'older';
  } catch (error) {
    // A bundle from a later version is not replaced by an older one; anything else that is wrong is built anew.
    if (!(error instanceof ParlanceError) || error.code === 'bundle-newer') throw error;
    return 'nothing';
  }
}

/** Somebody who is offline after an update goes on with the bundle of before, which is whole. */
async function renew(
  bundle: CatalogueBundle,
  hasOlder: boolean,
  options: PullOptions,
  tell: Tell,
): Promise<void> {
  try {
    await fetchAndBuild(bundle, options, tell);
  } catch (error) {
    const offline = error instanceof ParlanceError && error.code === 'download-failed';
    if (!hasOlder || !offline) throw error;
    tell({ phase: 'verifying', message: `not renewed, the bundle of before is used: ${error.message}` });
  }
}

/** Whether a manifest has every part that the recipe asks for, out of the same files. */
function isMadeOf(manifest: BundleManifest, recipe: Recipe): boolean {
  const parts = [
    recipe.encoder === undefined || manifest.encoder !== null,
    recipe.adaptor === undefined || manifest.adaptor !== null,
    recipe.llm === undefined || manifest.llm !== null,
  ];
  const hashes = (list: BundleManifest['provenance']): string =>
    list
      .map(({ file, sha256 }) => `${file} ${sha256}`)
      .toSorted()
      .join('\n');
  return parts.every(Boolean) && hashes(manifest.provenance) === hashes(recipe.card?.provenance ?? []);
}

async function fetchAndBuild(
  bundle: CatalogueBundle,
  { place, onProgress, signal }: PullOptions,
  tell: Tell,
): Promise<void> {
  const folder = place.home.downloads;
  await needFreeSpace(place.home.models, (await missingBytes(bundle, folder)) + bundle.installedBytes);
  const indexes = await packageIndexes(place.environment);
  const web = openWeb();
  try {
    for (const file of bundle.files) {
      await obtainFile(file, {
        web,
        folder,
        indexes,
        onProgress: (progress) => onProgress?.({ bundle: bundle.id, ...progress }),
        signal,
      });
    }
  } finally {
    await web.close();
  }
  const order = {
    kind: 'build' as const,
    recipe: join(place.resources, bundle.recipe),
    sources: sourcesOf(bundle, folder),
    out: bundleFolder(place, bundle.id),
  };
  try {
    await runBuild(
      place,
      order,
      ({ step, done, total }) =>
        tell({ phase: 'building', file: step, bytes: done, totalBytes: total, message: `building: ${step}` }),
      signal,
    );
  } catch (error) {
    throw bundleFailure(error);
  }
}

/** A recipe names a file, or the folder that several files of one model lie in. */
function sourcesOf(bundle: CatalogueBundle, downloads: string): Record<string, string> {
  const names = bundle.files.map(({ path }) => (dirname(path) === '.' ? path : dirname(path)));
  return Object.fromEntries(names.map((name) => [name, join(downloads, name)]));
}

async function missingBytes(bundle: CatalogueBundle, downloads: string): Promise<number> {
  const missing = bundle.files.map(
    async ({ path, bytes }) => bytes - ((await fileSize(join(downloads, path))) ?? 0),
  );
  return (await Promise.all(missing)).reduce((sum, bytes) => sum + Math.max(0, bytes), 0);
}
