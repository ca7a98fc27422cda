import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { parseTarGzip } from 'nanotar';
import { z } from 'zod';
import type { VoiceFile } from '../../native-models/bundles/voice-pack.ts';
import { ParlanceError } from '../contract/index.ts';
import { writeDurably } from '../platform/durable-file.ts';
import type { FileProgress } from './download.ts';
import { download, removePartial } from './resumable.ts';
import { networkReason, shown, throwIfCancelled, type Web } from './web.ts';

/** Where packages come from when a machine says nothing else. */
const publicRegistry = 'https://registry.npmjs.org';

/** A package of an npm registry at a pinned version, and the folder in it that the members lie in. */
export interface NpmSource {
  readonly package: string;
  readonly version: string;
  readonly folder: string;
}

interface NpmOptions {
  web: Web;
  /** Where the members are put, by their path. */
  folder: string;
  downloads: string;
  environment: NodeJS.ProcessEnv;
  onProgress?(progress: FileProgress): void;
  signal?: AbortSignal | undefined;
}

const releaseSchema = z.object({ dist: z.object({ tarball: z.url({ protocol: /^https?$/ }) }) });

/** The registry that npm would ask on this machine: its environment variable, then the person's `.npmrc`. */
async function npmRegistry(environment: NodeJS.ProcessEnv): Promise<string> {
  const named = environment.npm_config_registry ?? environment.NPM_CONFIG_REGISTRY;
  const file =
    environment.NPM_CONFIG_USERCONFIG ?? environment.npm_config_userconfig ?? join(homedir(), '.npmrc');
  const text = await readFile(file, 'utf8').catch(() => '');
  const registry = named ?? /^\s*registry\s*=\s*"?([^\s"]+)"?\s*$/m.exec(text)?.[1] ?? publicRegistry;
  return registry.replace(/\/+$/, '');
}

/**
 * Takes files out of a package by their names, and writes each when its SHA-256 is right. Rejects with download-failed,
 * download-hash, disk-full, cancelled.
 */
export async function obtainNpmMembers(
  source: NpmSource,
  files: readonly VoiceFile[],
  options: NpmOptions,
): Promise<void> {
  const archive = join(options.downloads, `${source.package}-${source.version}.tgz`);
  const name = `${source.package} ${source.version}`;
  try {
    await fetchArchive(source, archive, options);
    const members = await parseTarGzip(await readFile(archive), {
      filter: (entry) => entry.name.startsWith(`${source.folder}/`),
    });
    const byName = new Map(members.map((member) => [member.name, member.data]));
    for (const file of files) {
      throwIfCancelled(options.signal);
      await accept(byName.get(`${source.folder}/${basename(file.path)}`), file, name, options.folder);
    }
  } catch (error) {
    throwIfCancelled(options.signal);
    if (error instanceof ParlanceError || (error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    throw new ParlanceError(
      'download-failed',
      `The voices could not be downloaded:\n  package registry (${name}): ${networkReason(error)}`,
      'Check the network (proxies are taken from HTTPS_PROXY), then start again: it goes on from where it ended.',
      { cause: error },
    );
  }
  await rm(archive, { force: true });
  await removePartial(archive);
}

async function fetchArchive(
  source: NpmSource,
  archive: string,
  { web, environment, onProgress, signal }: NpmOptions,
): Promise<void> {
  const registry = await npmRegistry(environment);
  const response = await web.get(`${registry}/${source.package}/${source.version}`, {
    headers: { accept: 'application/json' },
    signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the registry answered ${response.status}`);
  }
  const { tarball } = releaseSchema.parse(await response.json()).dist;
  const told = {
    phase: 'downloading',
    file: basename(archive),
    source: shown(tarball),
    message: null,
  } as const;
  const onBytes = (bytes: number, totalBytes: number): void => onProgress?.({ ...told, bytes, totalBytes });
  await download(web, { url: tarball, partial: archive, bytes: null, onBytes, signal });
}

async function accept(
  bytes: Uint8Array | undefined,
  file: VoiceFile,
  source: string,
  folder: string,
): Promise<void> {
  if (bytes === undefined) throw new Error(`it has no ${basename(file.path)}`);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== file.sha256) {
    const message = `${file.path} of ${source} has SHA-256 ${found}, not ${file.sha256}.`;
    throw new ParlanceError(
      'download-hash',
      message,
      'Try again later; if it stays so, the network changes what it delivers.',
    );
  }
  await writeDurably(join(folder, file.path), bytes);
}
