import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';

/**
 * A file of the cache folder: 8 bytes of kind, u32 length of the header, the header as JSON, the body, SHA-256 of all that.
 * Caches are not flushed to disk one by one: after a power cut the checksum tells that a file is not whole, and it is made again.
 */
const kindBytes = 8;
const checksumBytes = 32;
const partialSuffix = '.partial';

export interface CacheFile<Header> {
  readonly header: Header;
  readonly body: Uint8Array;
}

/** A cache file that is damaged, or of another kind or version. */
export class DamagedCacheFile extends Error {
  constructor(path: string, why: string) {
    super(`${path}: ${why}`);
    this.name = 'DamagedCacheFile';
  }
}

/** Writes the file whole or not at all. Throws the system's error, ENOSPC for one. */
export async function writeCacheFile(
  path: string,
  kind: string,
  header: object,
  body: readonly Uint8Array[],
): Promise<void> {
  const json = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(kindBytes + 4);
  start.write(kind, 'latin1');
  start.writeUInt32LE(json.length, kindBytes);
  const parts = [start, json, ...body];
  const checksum = createHash('sha256');
  for (const part of parts) checksum.update(part);
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${randomUUID()}${partialSuffix}`;
  try {
    await writeFile(partial, [...parts, checksum.digest()], { mode: 0o600 });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Reads and checks a cache file, and marks it as used just now. Null when there is none. Throws DamagedCacheFile. */
export async function readCacheFile<Schema extends z.ZodType>(
  path: string,
  kind: string,
  schema: Schema,
): Promise<CacheFile<z.output<Schema>> | null> {
  const bytes = await readIfThere(path);
  if (bytes === null) return null;
  const end = bytes.length - checksumBytes;
  if (end < kindBytes + 4 || bytes.toString('latin1', 0, kindBytes) !== kind.padEnd(kindBytes, '\0'))
    throw new DamagedCacheFile(path, 'not a file of this kind');
  const checksum = createHash('sha256').update(bytes.subarray(0, end)).digest();
  if (!checksum.equals(bytes.subarray(end))) throw new DamagedCacheFile(path, 'the checksum differs');
  const headerEnd = kindBytes + 4 + bytes.readUInt32LE(kindBytes);
  if (headerEnd > end) throw new DamagedCacheFile(path, 'the header is cut off');
  const header = schema.safeParse(JSON.parse(bytes.toString('utf8', kindBytes + 4, headerEnd)));
  if (!header.success) throw new DamagedCacheFile(path, 'the header has other fields');
  const now = new Date();
  await utimes(path, now, now);
  // Not a Buffer: its `slice` would share memory, and the body need not be aligned for floats.
  return { header: header.data, body: Uint8Array.from(bytes.subarray(headerEnd, end)) };
}

/** Deletes the files used longest ago until the folder holds no more than `maxBytes`, and what a killed process left. */
export async function boundFolder(folder: string, maxBytes: number): Promise<void> {
  const files: Array<{ path: string; bytes: number; used: number }> = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const state = await stat(path).catch(absent);
    if (state !== null) files.push({ path, bytes: state.size, used: state.mtimeMs });
  }
  files.sort((a, b) => b.used - a.used);
  const anHourAgo = Date.now() - 3_600_000;
  let total = 0;
  for (const { path, bytes, used } of files) {
    total += bytes;
    const abandoned = path.endsWith(partialSuffix) && used < anHourAgo;
    if (total > maxBytes || abandoned) await rm(path, { force: true });
  }
}

/** The bytes of an array, not copied. */
export function bytesOf(array: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Why a cache file could not be used, for the log: never what is in it. */
export function reasonOf(error: unknown): string {
  if (error instanceof DamagedCacheFile) return error.message;
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'unknown';
}

async function readIfThere(path: string): Promise<Buffer | null> {
  return readFile(path).catch(absent);
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
