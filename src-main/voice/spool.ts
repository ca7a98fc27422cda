import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  idSchema,
  ParlanceError,
  type Recording,
  recordingSchema,
  type SpoolPort,
  toFailure,
} from '../contract/index.ts';
import { makeFolder, syncFolder, writeDurably } from '../platform/durable-file.ts';
import { isAlive, ownerSchema, thisProcess } from '../platform/owner-process.ts';
import { engineSampleRate } from './resample.ts';

const bytesPerSecond = engineSampleRate * 2;

/** What is known about the sound in `<id>.pcm`, written to `<id>.json` before the first of it. */
const sideFileSchema = recordingSchema.omit({ seconds: true }).extend({ owner: ownerSchema });
type SideFile = z.infer<typeof sideFileSchema>;

/** A recording that this process is making. */
interface Running {
  readonly side: SideFile;
  readonly file: FileHandle;
  /** Bytes known to be on disk. */
  bytes: number;
  /** The last append; the next one waits for it. */
  last: Promise<void>;
}

function missing(id: string): ParlanceError {
  return new ParlanceError(
    'recording-missing',
    `There is no recording ${id}.`,
    'It was sent or thrown away already. Record again.',
  );
}

/** Files that are not there are null; any other trouble is thrown. */
async function unlessAbsent<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** A full disk or a folder that may not be written, in words; anything else as it is. */
function spoolError(thrown: unknown): unknown {
  const failure = toFailure(thrown);
  return failure.code === 'internal' ? thrown : ParlanceError.from(failure);
}

/** Null for a side file that is absent or cannot be read: the sound beside it counts all the same. */
async function readSide(path: string): Promise<SideFile | null> {
  const text = await unlessAbsent(readFile(path, 'utf8'));
  if (text === null) return null;
  try {
    return sideFileSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/**
 * Recordings under `folder`/spool, one raw file each, flushed before an append resolves: whatever was acknowledged
 * survives the process and the power. Nothing here removes sound but `discard`.
 */
export async function openSpool({ folder }: { readonly folder: string }): Promise<SpoolPort> {
  const spool = join(folder, 'spool');
  await makeFolder(spool);
  const running = new Map<string, Running>();
  const pcmPath = (id: string) => join(spool, `${id}.pcm`);
  const sidePath = (id: string) => join(spool, `${id}.json`);

  async function described(id: string, side: SideFile | null): Promise<Recording | null> {
    const file = await unlessAbsent(stat(pcmPath(id)));
    if (file === null) return null;
    return {
      id,
      conversationId: side?.conversationId ?? null,
      seconds: Math.floor(file.size / 2) / engineSampleRate,
      startedAt: side?.startedAt ?? Math.round(file.birthtimeMs || file.mtimeMs),
    };
  }

  async function write(recording: Running, pcm: Uint8Array): Promise<void> {
    try {
      await recording.file.appendFile(pcm);
      await recording.file.datasync();
      recording.bytes += pcm.length;
    } catch (error) {
      // Half a piece would shift every later sample by a byte: the file goes back to what was acknowledged.
      await recording.file.truncate(recording.bytes);
      throw spoolError(error);
    }
  }

  return {
    async start(conversationId) {
      const side = { id: randomUUID(), conversationId, startedAt: Date.now(), owner: await thisProcess() };
      try {
        await writeDurably(sidePath(side.id), Buffer.from(JSON.stringify(side)));
        const file = await open(pcmPath(side.id), 'ax', 0o600);
        await syncFolder(spool);
        running.set(side.id, { side, file, bytes: 0, last: Promise.resolve() });
      } catch (error) {
        throw spoolError(error);
      }
      return { id: side.id, conversationId, seconds: 0, startedAt: side.startedAt };
    },

    async append(id, pcm) {
      const recording = running.get(id);
      if (recording === undefined) throw missing(id);
      if (pcm.length % 2 !== 0) {
        throw new ParlanceError('invalid-request', 'pcm: half a sample came.', 'Send whole 16-bit samples.');
      }
      const written = recording.last.then(() => write(recording, pcm));
      // The next piece may be written after this one failed: its own result tells the caller.
      recording.last = written.catch(() => undefined);
      await written;
      const { side, bytes } = recording;
      return {
        id,
        conversationId: side.conversationId,
        seconds: bytes / bytesPerSecond,
        startedAt: side.startedAt,
      };
    },

    async read(id) {
      if (!idSchema.safeParse(id).success) throw missing(id);
      await running.get(id)?.last;
      const recording = await described(id, await readSide(sidePath(id)));
      if (recording === null) throw missing(id);
      const bytes = await readFile(pcmPath(id));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const samples = Float32Array.from(
        { length: Math.floor(bytes.length / 2) },
        (_, place) => view.getInt16(place * 2, true) / 32768,
      );
      return { recording: { ...recording, seconds: samples.length / engineSampleRate }, samples };
    },

    async discard(id) {
      if (!idSchema.safeParse(id).success) throw missing(id);
      const recording = running.get(id);
      running.delete(id);
      await recording?.last;
      await recording?.file.close();
      // The sound first: a side file without sound is nothing, sound without a side file would be offered again.
      await rm(pcmPath(id), { force: true });
      await rm(sidePath(id), { force: true });
      await syncFolder(spool);
    },

    async unsent() {
      const found: Recording[] = [];
      for (const name of await readdir(spool)) {
        const id = /^([A-Za-z0-9_-]{1,64})\.pcm$/.exec(name)?.[1];
        if (id === undefined || running.has(id)) continue;
        const side = await readSide(sidePath(id));
        if (side !== null && (await isAlive(side.owner))) continue;
        const recording = await described(id, side);
        if (recording !== null && recording.seconds > 0) found.push(recording);
      }
      return found.sort((one, other) => one.startedAt - other.startedAt);
    },
  };
}
