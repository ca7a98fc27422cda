import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type EngineName, engineNameSchema, idSchema } from '../../contract/conversation.ts';
import { positionsOf, type Unit } from '../prompt/sequence.ts';
import { boundFolder, bytesOf, DamagedCacheFile, readCacheFile, writeCacheFile } from './cache-files.ts';

/** The form of one model's keys and values: a snapshot of any other form is of no use to it. */
export const cacheFormSchema = z.object({
  /** SHA-256 of bundle.json, which holds the hash of every weight. */
  bundle: z.string(),
  loraScale: z.number(),
  type: z.enum(['float32', 'int8']),
  layers: z.number().int().positive(),
  kvHeads: z.number().int().positive(),
  headSize: z.number().int().positive(),
});
export type CacheForm = z.infer<typeof cacheFormSchema>;

const unitSchema = z.union([
  z.number().int().nonnegative(),
  z.object({ audio: z.string(), positions: z.number().int().positive() }),
]);

const headerSchema = z.object({
  form: cacheFormSchema,
  units: z.array(unitSchema),
  /** Hash of each answer's text, and the tokens that were generated for it. */
  answers: z.array(z.tuple([z.string(), z.array(z.number().int().nonnegative())])),
});

/** [2·layers, kvHeads, positions, headSize]: keys of layer N at 2N, values at 2N+1. */
export type Rows = Float32Array | Int8Array;

export interface Snapshot {
  readonly units: readonly Unit[];
  readonly answers: ReadonlyMap<string, readonly number[]>;
  readonly rows: Rows;
}

const kind = 'prl-kv-1';
const folderName = 'kv';
const forgottenSuffix = '.forgotten';
/** No process holds a conversation's keys and values longer than this after it was deleted. */
const forgottenMs = 30 * 24 * 3_600_000;

export function snapshotPath(cacheFolder: string, conversationId: string, engine: EngineName): string {
  return join(cacheFolder, folderName, `${idSchema.parse(conversationId)}-${engine}.kv`);
}

/** Writes a conversation's keys and values, unless it was deleted meanwhile; older conversations' make room. */
export async function writeSnapshot(
  cacheFolder: string,
  conversationId: string,
  engine: EngineName,
  form: CacheForm,
  snapshot: Snapshot,
  maxBytes: number,
): Promise<void> {
  const path = snapshotPath(cacheFolder, conversationId, engine);
  if (await isForgotten(cacheFolder, conversationId)) return;
  const header = { form, units: snapshot.units, answers: [...snapshot.answers] };
  await writeCacheFile(path, kind, header, [bytesOf(snapshot.rows)]);
  await boundFolder(join(cacheFolder, folderName), maxBytes);
}

/** A conversation's keys and values from an earlier process; null when there are none. Throws DamagedCacheFile. */
export async function readSnapshot(
  cacheFolder: string,
  conversationId: string,
  engine: EngineName,
  form: CacheForm,
): Promise<Snapshot | null> {
  const path = snapshotPath(cacheFolder, conversationId, engine);
  const file = await readCacheFile(path, kind, headerSchema);
  if (file === null) return null;
  const { header, body } = file;
  if (!sameForm(header.form, form)) throw new DamagedCacheFile(path, 'made by another bundle');
  const values = 2 * form.layers * form.kvHeads * positionsOf(header.units) * form.headSize;
  if (body.byteLength !== values * (form.type === 'int8' ? 1 : 4))
    throw new DamagedCacheFile(path, 'the body has another length');
  const buffer = body.buffer;
  const rows = form.type === 'int8' ? new Int8Array(buffer) : new Float32Array(buffer);
  return { units: header.units, answers: new Map(header.answers), rows };
}

export async function deleteSnapshot(
  cacheFolder: string,
  conversationId: string,
  engine: EngineName,
): Promise<void> {
  await rm(snapshotPath(cacheFolder, conversationId, engine), { force: true });
}

/**
 * Deletes what the engine kept of a conversation. An empty file stays for a while in its place, so that an engine process
 * that still holds its keys and values does not write them again when it ends.
 */
export async function forgetConversation(cacheFolder: string, conversationId: string): Promise<void> {
  const folder = join(cacheFolder, folderName);
  await mkdir(folder, { recursive: true });
  await writeFile(forgottenPath(cacheFolder, conversationId), '');
  for (const engine of engineNameSchema.options) await deleteSnapshot(cacheFolder, conversationId, engine);
  for (const name of await readdir(folder)) {
    if (!name.endsWith(forgottenSuffix)) continue;
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > forgottenMs) await rm(path, { force: true });
  }
}

function forgottenPath(cacheFolder: string, conversationId: string): string {
  return join(cacheFolder, folderName, `${idSchema.parse(conversationId)}${forgottenSuffix}`);
}

async function isForgotten(cacheFolder: string, conversationId: string): Promise<boolean> {
  return stat(forgottenPath(cacheFolder, conversationId)).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

function sameForm(a: CacheForm, b: CacheForm): boolean {
  return (
    a.bundle === b.bundle &&
    a.loraScale === b.loraScale &&
    a.type === b.type &&
    a.layers === b.layers &&
    a.kvHeads === b.kvHeads &&
    a.headSize === b.headSize
  );
}
