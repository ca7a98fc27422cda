import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';

/** Finds a member by its exact name. A wheel is a zip archive, which may list anything. */
async function memberOf(zip: ZipFile, member: string): Promise<Entry> {
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName === member) return entry;
  }
  throw new Error(`the wheel has no member ${member}`);
}

/**
 * Appends one member of a wheel to a file, as a stream. Nothing but `target` is written, whatever the archive names.
 *
 * @param limit bytes that the member may have at most; a zip that unpacks to more is refused before it is read
 * @returns bytes appended
 */
export async function appendMember(
  wheel: string,
  member: string,
  target: string,
  limit: number,
  options: { onBytes?: (bytes: number) => void; signal?: AbortSignal | undefined },
): Promise<number> {
  // Entry sizes are validated while reading, so a member cannot grow past what its entry says.
  const zip = await openPromise(wheel, { autoClose: false, validateEntrySizes: true });
  try {
    const entry = await memberOf(zip, member);
    if (entry.uncompressedSize > limit)
      throw new Error(`${member} has ${entry.uncompressedSize} bytes where ${limit} are left`);
    const source = await zip.openReadStreamPromise(entry);
    const file = createWriteStream(target, { flags: 'a', flush: true });
    let bytes = 0;
    const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        options.onBytes?.(bytes);
        yield chunk;
      }
    };
    await pipeline(source, counted, file, options.signal ? { signal: options.signal } : {});
    return bytes;
  } finally {
    zip.close();
  }
}
