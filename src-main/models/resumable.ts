import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'undici';
import { z } from 'zod';
import { writeDurably } from '../platform/durable-file.ts';
import { diskFull, isDiskFull, needFreeSpace } from './free-space.ts';
import { isUnreachable, networkReason, throwIfCancelled, type Web } from './web.ts';

/** Attempts in a row that brought not one byte. */
const patience = 3;
const firstPauseMs = 300;

/** Which bytes a partial file holds: kept beside it, so that a later start knows what it may go on with. */
const partialSchema = z.object({
  url: z.string(),
  /** A strong ETag or a date; null where the server gives neither, and the length alone must agree. */
  validator: z.string().nullable(),
  totalBytes: z.number().int().nonnegative().nullable(),
});
type Partial = z.infer<typeof partialSchema>;

export interface ResumableRequest {
  url: string;
  /** The partial file; complete when this resolves. */
  partial: string;
  /** Known length in bytes; null when only the server knows it. */
  bytes: number | null;
  onBytes?(bytes: number, totalBytes: number): void;
  signal?: AbortSignal | undefined;
}

/** A refusal that asking again does not change. */
class RefusedError extends Error {
  override name = 'RefusedError';
}

const partialRecord = (partial: string): string => `${partial}.json`;

export async function removePartial(partial: string): Promise<void> {
  await rm(partial, { force: true });
  await rm(partialRecord(partial), { force: true });
}

/**
 * Downloads into a partial file, going on where an earlier attempt ended if the server still has the same file, from
 * the start if it has another one or cannot send ranges. Resolves when every byte is on disk; nothing is known about
 * their truth then: the caller checks the hash.
 *
 * Rejects with ParlanceError disk-full or cancelled (the partial file stays), or an Error with the network's reason.
 */
export async function download(web: Web, request: ResumableRequest): Promise<void> {
  await mkdir(dirname(request.partial), { recursive: true });
  let failures = 0;
  for (;;) {
    const before = await sizeOf(request.partial);
    try {
      await attempt(web, request);
      return;
    } catch (error) {
      throwIfCancelled(request.signal);
      if (isDiskFull(error)) {
        const missing = (request.bytes ?? 0) - (await sizeOf(request.partial));
        throw await diskFull(dirname(request.partial), missing, error);
      }
      if (error instanceof RefusedError || (error as { code?: unknown }).code === 'disk-full') throw error;
      failures = (await sizeOf(request.partial)) > before ? 0 : failures + 1;
      // The next source is the better use of time than waiting for a host that is not there.
      if (failures >= patience || isUnreachable(error))
        throw new Error(networkReason(error), { cause: error });
    }
    await pause(firstPauseMs * 2 ** failures, request.signal);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  }
}

async function attempt(web: Web, request: ResumableRequest): Promise<void> {
  const known = await readRecord(request);
  const offset = known === null ? 0 : await sizeOf(request.partial);
  if (known !== null && offset > 0 && offset === (request.bytes ?? known.totalBytes)) return;
  const headers: Record<string, string> = {};
  if (known !== null && offset > 0) {
    headers.range = `bytes=${offset}-`;
    if (known.validator !== null) headers['if-range'] = known.validator;
  }
  const response = await web.get(request.url, { headers, signal: request.signal });
  try {
    if (response.status === 416) await removePartial(request.partial);
    const start = startOf(response, offset);
    await store(response, request, start);
  } finally {
    // Frees the connection of an answer that is not read to its end.
    if (!response.bodyUsed) await response.body?.cancel();
  }
}

/** Where the answer's bytes belong. */
function startOf(response: Response, offset: number): number {
  const { status, headers } = response;
  if (status === 200) return 0;
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    if (Number(range?.[1]) === offset) return offset;
    throw new RefusedError('the server sent another range than was asked for');
  }
  // 416: the partial file is longer than the server's, so it is begun anew; the others may pass by themselves.
  if (status >= 500 || [408, 416, 429].includes(status)) throw new Error(`the server answered ${status}`);
  throw new RefusedError(`the server answered ${status}`);
}

async function store(response: Response, request: ResumableRequest, start: number): Promise<void> {
  const { headers } = response;
  const length = headers.get('content-length');
  const total = request.bytes ?? (length === null ? null : start + Number(length));
  if (request.bytes !== null && length !== null && start + Number(length) !== request.bytes)
    throw new RefusedError(`the server has ${start + Number(length)} bytes, not ${request.bytes}`);
  if (total !== null) await needFreeSpace(dirname(request.partial), total - start);
  const etag = headers.get('etag');
  const strong = etag !== null && !etag.startsWith('W/') ? etag : headers.get('last-modified');
  await writeRecord(request, { url: request.url, validator: strong, totalBytes: total });
  const file = await open(request.partial, start === 0 ? 'w' : 'r+');
  try {
    const end = await append(response, file, start, total, request);
    if (total !== null && end < total) throw new Error(`the connection ended after ${end} of ${total} bytes`);
  } finally {
    await file.sync();
    await file.close();
  }
}

async function append(
  response: Response,
  file: FileHandle,
  start: number,
  total: number | null,
  request: ResumableRequest,
): Promise<number> {
  let position = start;
  if (response.body === null) return position;
  for await (const chunk of response.body) {
    if (total !== null && position + chunk.length > total)
      throw new RefusedError(`the server sent more than ${total} bytes`);
    const { bytesWritten } = await file.write(chunk, 0, chunk.length, position);
    // A disk that fills up writes a part first and fails at the next write.
    for (let written = bytesWritten; written < chunk.length; )
      written += (await file.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
    position += chunk.length;
    request.onBytes?.(position, total ?? position);
  }
  return position;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** Null when there is nothing that this request could go on with. */
async function readRecord({ url, partial, bytes }: ResumableRequest): Promise<Partial | null> {
  let text: string;
  try {
    text = await readFile(partialRecord(partial), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const record = partialSchema.safeParse(parse(text));
  if (!record.success || record.data.url !== url) return null;
  if (bytes !== null && record.data.totalBytes !== bytes) return null;
  return record.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // written by hand or damaged: the download begins anew
  }
}

async function writeRecord({ partial }: ResumableRequest, record: Partial): Promise<void> {
  await writeDurably(partialRecord(partial), Buffer.from(JSON.stringify(record)));
}
