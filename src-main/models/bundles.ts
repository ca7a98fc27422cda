import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import { readRecipe } from '../../native-models/bundles/recipe.ts';
import { verifyBundle } from '../../native-models/bundles/verify.ts';
import { ModelError } from '../../native-models/errors.ts';
import { anyManifest } from '../../native-models/published/any-manifest.ts';
import { isPublishedBundle } from '../../native-models/published/open-published.ts';
import { type BundleSummary, errorCodeSchema, type ModelProgress, ParlanceError } from '../contract/index.ts';
import { isLocked } from './bundle-lock.ts';
import { type Catalogue, type CatalogueBundle, readCatalogue } from './catalogue.ts';
import type { ModelsPlace } from './place.ts';

/** The foundry's failure as the contract names it. */
export function bundleFailure(error: unknown): unknown {
  if (!(error instanceof ModelError)) return error;
  const code = errorCodeSchema.safeParse(error.code);
  return new ParlanceError(code.success ? code.data : 'bundle-corrupt', error.message, error.hint, {
    cause: error,
  });
}

/** Where a bundle lies once it is installed. */
export function bundleFolder(place: ModelsPlace, id: string): string {
  return join(place.home.models, id);
}

/** Every bundle of the catalogue, then every other one in the models folder. */
export async function listBundles(place: ModelsPlace): Promise<BundleSummary[]> {
  const catalogue = await readCatalogue(place.resources);
  const known = new Set(catalogue.bundles.map(({ id }) => id));
  const others = (await namesIn(place.home.models)).filter(
    (name) => !name.startsWith('.') && !known.has(name),
  );
  return Promise.all([
    ...catalogue.bundles.map((bundle) => summaryOf(place, bundle)),
    ...others.map((id) => importedSummary(place, id)),
  ]);
}

/**
 * One bundle of the catalogue as a person sees it. `mine`: this very call holds its lock, which then does not make it look
 * unfinished.
 */
export async function summaryOf(
  place: ModelsPlace,
  bundle: CatalogueBundle,
  mine = false,
): Promise<BundleSummary> {
  const { card } = readRecipe(join(place.resources, bundle.recipe));
  const folder = bundleFolder(place, bundle.id);
  const { state, manifest } = await stateOf(place, bundle.id, mine);
  return {
    id: bundle.id,
    name: card?.name ?? bundle.id,
    summary: card?.summary ?? '',
    licence: card?.licence ?? '',
    languages: card?.languages ?? [],
    preferredEngine: card?.preferredEngine ?? 'cascade',
    figures: card?.figures ?? [],
    downloadBytes: bundle.files.reduce((sum, { bytes }) => sum + bytes, 0),
    installedBytes: manifest && sizeOf(manifest),
    state,
    folder: manifest && folder,
    contextLength: manifest?.llm?.contextLength ?? null,
  };
}

async function importedSummary(place: ModelsPlace, id: string): Promise<BundleSummary> {
  const folder = bundleFolder(place, id);
  const { state, manifest } = await stateOf(place, id);
  return {
    id,
    name: manifest?.name ?? id,
    summary: manifest?.summary ?? '',
    licence: manifest?.licence ?? '',
    languages: manifest?.languages ?? [],
    preferredEngine: manifest?.preferredEngine ?? 'cascade',
    figures: manifest?.figures ?? [],
    downloadBytes: 0,
    installedBytes: manifest && sizeOf(manifest),
    state,
    folder: manifest && folder,
    contextLength: manifest?.llm?.contextLength ?? null,
  };
}

function sizeOf(manifest: BundleManifest): number {
  return manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Read from the disk alone, so that it is the same for every process. */
async function stateOf(
  place: ModelsPlace,
  id: string,
  mine = false,
): Promise<{ state: BundleSummary['state']; manifest: BundleManifest | null }> {
  const names = await namesIn(place.home.models);
  if (!mine && (await isLocked(place.home.models, id))) {
    const building = names.some((name) => name.startsWith(`.${id}.building-`));
    return { state: building ? 'building' : 'downloading', manifest: null };
  }
  if (!names.includes(id)) return { state: 'available', manifest: null };
  try {
    return { state: 'installed', manifest: anyManifest(bundleFolder(place, id)) };
  } catch (error) {
    if (error instanceof ModelError) return { state: 'damaged', manifest: null };
    throw error;
  }
}

/** The bundle that answers when a person chose none: the catalogue's default, else the first installed; null when none is. */
export async function defaultBundle(place: ModelsPlace): Promise<BundleSummary | null> {
  const catalogue: Catalogue = await readCatalogue(place.resources);
  const installed = (await listBundles(place)).filter(({ state }) => state === 'installed');
  return installed.find(({ id }) => id === catalogue.defaultBundle) ?? installed[0] ?? null;
}

/**
 * Hashes every part of an installed bundle again. Rejects with bundle-missing, bundle-incomplete, bundle-corrupt
 * (naming the file and both hashes), bundle-newer, bundle-invalid.
 */
export async function verifyInstalled(
  place: ModelsPlace,
  id: string,
  onProgress?: (progress: ModelProgress) => void,
): Promise<BundleManifest> {
  if (!(await namesIn(place.home.models)).includes(id)) throw notInstalled(id);
  if (isPublishedBundle(bundleFolder(place, id))) throw nothingToCompare(id);
  try {
    return await verifyBundle(bundleFolder(place, id), (progress) =>
      onProgress?.({ bundle: id, phase: 'verifying', ...progress, source: null, message: null }),
    );
  } catch (error) {
    throw bundleFailure(error);
  }
}

/** Deletes an installed bundle. Rejects with bundle-missing, or engine-busy while it is being built. */
export async function removeBundle(place: ModelsPlace, id: string): Promise<void> {
  const { models } = place.home;
  if (!(await namesIn(models)).includes(id) || id.startsWith('.')) throw notInstalled(id);
  if (await isLocked(models, id))
    throw new ParlanceError('engine-busy', `The bundle ${id} is being built.`, 'Wait until it is done.');
  // Renamed first: a removal that is cut short leaves no half of a bundle behind that looks like one.
  const aside = join(models, `.${id}.removing-${process.pid}`);
  await rename(bundleFolder(place, id), aside);
  await rm(aside, { recursive: true, force: true });
  await rm(join(models, `.${id}.verified.json`), { force: true });
}

function nothingToCompare(id: string): ParlanceError {
  return new ParlanceError(
    'not-supported',
    `The bundle ${id} is a published model, which came without hashes to compare its files with.`,
    'Fetch its files again if you doubt them.',
  );
}

function notInstalled(id: string): ParlanceError {
  return new ParlanceError(
    'bundle-missing',
    `The bundle ${id} is not installed.`,
    `Run \`parlance models pull ${id}\`; \`parlance models list\` shows what there is.`,
  );
}
