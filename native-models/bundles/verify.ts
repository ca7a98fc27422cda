import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { type BundleManifest, bundleManifestSchema, manifestVersion } from './manifest.ts';

export interface HashProgress {
  readonly file: string;
  /** Bytes of this file read so far. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/**
 * Reads and checks `bundle.json` and that every part is there; reads no part's bytes.
 * Throws `bundle-incomplete` naming what is missing, `bundle-newer`, `bundle-invalid` naming the field.
 */
export function readManifest(folder: string): BundleManifest {
  const manifest = parseManifest(readManifestText(folder), folder);
  const listed = new Set(manifest.files.map((file) => file.path));
  for (const part of partsOf(manifest)) {
    if (!listed.has(part))
      throw new ModelError(
        'bundle-invalid',
        `The bundle ${folder} uses ${part} but does not list its hash.`,
        'Build or fetch the bundle again.',
      );
  }
  for (const { path } of manifest.files) stateOf(folder, path);
  return manifest;
}

/**
 * Opens a bundle for use: `readManifest`, and every part's bytes are what the manifest says. Hashing takes about a second, so
 * what was found right is remembered (see `VerifiedRecord`) and not read again while nothing touched it.
 * Throws what `readManifest` throws, and `bundle-corrupt` naming the file and both hashes.
 */
export async function openBundle(
  folder: string,
  onProgress?: (progress: HashProgress) => void,
): Promise<BundleManifest> {
  const manifest = readManifest(folder);
  const manifestHash = createHash('sha256').update(readManifestText(folder)).digest('hex');
  const recordPath = verifiedRecordPath(folder);
  const record = readRecord(recordPath, manifestHash);
  const verified: VerifiedRecord['files'] = {};
  let hashed = false;
  for (const file of manifest.files) {
    const state = stateOf(folder, file.path);
    if (record.files[file.path] !== state) {
      await checkFile(folder, file, onProgress);
      hashed = true;
    }
    verified[file.path] = state;
  }
  if (hashed) await keepRecord(recordPath, { manifestHash, files: verified });
  return manifest;
}

/** Hashes every part, whatever was remembered. Throws like `openBundle`. */
export async function verifyBundle(
  folder: string,
  onProgress?: (progress: HashProgress) => void,
): Promise<BundleManifest> {
  const manifest = readManifest(folder);
  for (const file of manifest.files) await checkFile(folder, file, onProgress);
  return manifest;
}

/** SHA-256 of a file, in hexadecimal. */
export async function hashFile(path: string, onBytes?: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk);
    bytes += chunk.length;
    onBytes?.(bytes);
  }
  return hash.digest('hex');
}

/**
 * What was verified, and how those files looked then. It lies beside the bundle, not in it: a bundle copied from elsewhere
 * brings no claim of its own. Size and times alone can be set by whoever changes a file, so the inode and the time of the last
 * change of the inode (which no ordinary call can set) are part of it. Lost or unreadable, everything is hashed again.
 */
const verifiedRecordSchema = z.object({
  manifestHash: z.string(),
  files: z.record(z.string(), z.string()),
});
type VerifiedRecord = z.infer<typeof verifiedRecordSchema>;

function verifiedRecordPath(folder: string): string {
  const real = realpathSync(folder);
  return join(dirname(real), `.${basename(real)}.verified.json`);
}

function readRecord(path: string, manifestHash: string): VerifiedRecord {
  const nothing = { manifestHash, files: {} };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return nothing; // the first time there is none
  }
  const record = verifiedRecordSchema.safeParse(parseJson(text));
  return record.success && record.data.manifestHash === manifestHash ? record.data : nothing;
}

/** Where the folder cannot be written, the bundle still works: it is only hashed again the next time. */
async function keepRecord(path: string, record: VerifiedRecord): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, JSON.stringify(record));
    await rename(draft, path);
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM', 'ENOSPC'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  }
}

/** Everything that changes with a file's bytes. Links are refused: the runtime does not follow them out of a bundle. */
function stateOf(folder: string, path: string): string {
  const status = lstatSync(join(folder, path), { bigint: true, throwIfNoEntry: false });
  if (status === undefined)
    throw new ModelError(
      'bundle-incomplete',
      `The bundle ${folder} lacks its part ${path}.`,
      'Fetch or build the bundle again.',
    );
  if (!status.isFile())
    throw new ModelError(
      'bundle-invalid',
      `${path} in the bundle ${folder} is not a plain file.`,
      'A bundle holds real files only: copy the part instead of linking it.',
    );
  return [status.size, status.mtimeNs, status.ctimeNs, status.ino].join(' ');
}

async function checkFile(
  folder: string,
  file: BundleManifest['files'][number],
  onProgress: ((progress: HashProgress) => void) | undefined,
): Promise<void> {
  const found = await hashFile(join(folder, file.path), (bytes) =>
    onProgress?.({ file: file.path, bytes, totalBytes: file.bytes }),
  );
  if (found !== file.sha256)
    throw new ModelError(
      'bundle-corrupt',
      `${file.path} in the bundle ${folder} has SHA-256 ${found}, but the manifest says ${file.sha256}.`,
      'The file was changed or damaged: fetch or build the bundle again.',
    );
}

function readManifestText(folder: string): string {
  try {
    return readFileSync(join(folder, 'bundle.json'), 'utf8');
  } catch (cause) {
    throw new ModelError(
      'bundle-incomplete',
      `${folder} has no bundle.json.`,
      'Name the folder of a bundle, or fetch the bundle again.',
      { cause },
    );
  }
}

function parseManifest(text: string, folder: string): BundleManifest {
  const value = parseJson(text);
  const version = z.object({ manifest: z.number() }).safeParse(value);
  if (version.success && version.data.manifest > manifestVersion)
    throw new ModelError(
      'bundle-newer',
      `The bundle ${folder} has manifest version ${version.data.manifest}; this program reads version ${manifestVersion}.`,
      'Update Parlance to use this bundle.',
    );
  const manifest = bundleManifestSchema.safeParse(value);
  if (manifest.success) return manifest.data;
  const [issue] = manifest.error.issues;
  throw new ModelError(
    'bundle-invalid',
    `bundle.json in ${folder} is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'unknown fault'}.`,
    'Fetch or build the bundle again.',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it, and says where
  }
}

function partsOf(manifest: BundleManifest): string[] {
  const { encoder, secondEncoder, adaptor, llm, whisper } = manifest;
  return [
    ...(encoder ? [encoder.graph, encoder.deviceGraph ?? encoder.graph] : []),
    ...(secondEncoder ? [secondEncoder.graph, secondEncoder.deviceGraph ?? secondEncoder.graph] : []),
    ...(adaptor ? [adaptor.graph, adaptor.deviceGraph ?? adaptor.graph] : []),
    ...(llm
      ? [llm.embedGraph, llm.rowsGraph, llm.deviceGraph, ...(llm.tokenizer === null ? [] : [llm.tokenizer])]
      : []),
    ...(whisper ? [whisper.crossGraph, whisper.graph, whisper.tokenizer] : []),
  ];
}
