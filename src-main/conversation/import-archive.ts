import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { z } from 'zod';
import {
  type ArchivedConversation,
  type AudioClip,
  type AudioStorePort,
  archiveSchema,
  type Imported,
  ParlanceError,
  type StorePort,
} from '../contract/index.ts';

/** Bytes: more is no text that people wrote, or no recording that can have been made here. */
const largestList = 256 * 1024 * 1024;
const headerBytes = 44;
const largestClip = headerBytes + 31 * 60 * 32_000;
const mostEntries = 100_000;
const clipName = /^audio\/([0-9a-f]{64})\.wav$/;

export interface ImportPorts {
  readonly store: StorePort;
  readonly audio: AudioStorePort;
}

function refused(detail: string, cause?: unknown): ParlanceError {
  return new ParlanceError(
    'file-unreadable',
    `This is no export of Parlance that can be read: ${detail}. Nothing was imported.`,
    'Export the conversations again, as JSON or ZIP.',
    { cause },
  );
}

function listOf(text: string): ArchivedConversation[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refused('its list of conversations is no JSON', error);
  }
  const archive = archiveSchema.safeParse(json);
  if (!archive.success) {
    const [issue] = archive.error.issues;
    throw refused(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, archive.error);
  }
  return archive.data.conversations;
}

async function bytesOf(zip: ZipFile, entry: Entry, most: number): Promise<Buffer> {
  if (entry.uncompressedSize > most)
    throw refused(`${entry.fileName} would have ${entry.uncompressedSize} bytes`);
  // What unpacks to more or less than its entry says makes the stream fail.
  return buffer(await zip.openReadStreamPromise(entry));
}

/** The entries by name. A name that an export does not have is refused, wherever it would lead. */
async function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  if (zip.entryCount > mostEntries) throw refused(`it has ${zip.entryCount} entries`);
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    if (name !== 'conversations.json' && !clipName.test(name)) throw refused(`it holds ${name.slice(0, 80)}`);
    if (entries.has(name)) throw refused(`${name} stands in it twice`);
    entries.set(name, entry);
  }
  return entries;
}

/** Stores a clip. Its length and its bars are measured again: what the file says of them is not taken. */
async function storeClip(audio: AudioStorePort, wav: Buffer, sha256: string): Promise<AudioClip> {
  if (createHash('sha256').update(wav).digest('hex') !== sha256)
    throw refused(`the sound ${sha256.slice(0, 12)}… is damaged`);
  const view = new DataView(wav.buffer, wav.byteOffset, wav.byteLength);
  const samples = Float32Array.from(
    { length: Math.max(0, Math.floor((wav.length - headerBytes) / 2)) },
    (_, place) => view.getInt16(headerBytes + 2 * place, true) / 32768,
  );
  const clip = await audio.put(samples);
  if (clip.sha256 === sha256) return clip;
  await audio.remove(clip.sha256);
  throw refused(`the sound ${sha256.slice(0, 12)}… is no 16 kHz mono WAV as Parlance writes it`);
}

async function isStored(audio: AudioStorePort, sha256: string): Promise<boolean> {
  try {
    await audio.path(sha256);
    return true;
  } catch (error) {
    if (error instanceof ParlanceError && error.code === 'file-missing') return false;
    throw error;
  }
}

/** Runs `work` over an opened ZIP; what its reader finds wrong with it is a refusal too. */
async function withZip<T>(path: string, work: (zip: ZipFile) => Promise<T>): Promise<T> {
  let zip: ZipFile;
  try {
    zip = await openPromise(path, { autoClose: false, validateEntrySizes: true, strictFileNames: true });
  } catch (error) {
    throw refused((error as Error).message, error);
  }
  try {
    return await work(zip);
  } catch (error) {
    if (error instanceof ParlanceError || typeof (error as { code?: unknown }).code === 'string') throw error;
    throw refused((error as Error).message, error);
  } finally {
    zip.close();
  }
}

/** The first bytes say which of the two it is. */
async function isZip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer: start } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if ((await file.stat()).size > largestList && start.readUInt32BE() !== 0x504b0304)
      throw refused('it is too large for a list of conversations');
    return start.readUInt32BE() === 0x504b0304;
  } finally {
    await file.close();
  }
}

/**
 * Reads an export, of which nothing is trusted, and takes in its conversations: all of them, or none. A conversation that
 * is here already is skipped; one whose id is taken by another gets a new id. A turn whose sound is neither in the file
 * nor on this machine comes without it. Rejects with file-unreadable, which says what is wrong with the file.
 */
export async function importArchive(ports: ImportPorts, path: string): Promise<Imported[]> {
  if (await isZip(path)) {
    return withZip(path, async (zip) => {
      const entries = await entriesOf(zip);
      const listed = entries.get('conversations.json');
      if (listed === undefined) throw refused('it has no conversations.json');
      const list = listOf((await bytesOf(zip, listed, largestList)).toString('utf8'));
      const clips = z
        .array(z.string())
        .parse(list.flatMap(({ turns }) => turns.flatMap(({ audio }) => audio?.sha256 ?? [])));
      const sound = async (sha256: string) => {
        const entry = entries.get(`audio/${sha256}.wav`);
        return entry === undefined ? null : bytesOf(zip, entry, largestClip);
      };
      return takeIn(ports, list, new Set(clips), sound);
    });
  }
  const file = await open(path);
  try {
    const list = listOf(await file.readFile('utf8'));
    const clips = list.flatMap(({ turns }) => turns.flatMap(({ audio }) => audio?.sha256 ?? []));
    return await takeIn(ports, list, new Set(clips), async () => null);
  } finally {
    await file.close();
  }
}

async function takeIn(
  { store, audio }: ImportPorts,
  list: ArchivedConversation[],
  named: ReadonlySet<string>,
  soundOf: (sha256: string) => Promise<Buffer | null>,
): Promise<Imported[]> {
  const stored = new Map<string, AudioClip | null>();
  const added: string[] = [];
  try {
    for (const sha256 of named) {
      if (await isStored(audio, sha256)) continue;
      const wav = await soundOf(sha256);
      stored.set(sha256, wav === null ? null : await storeClip(audio, wav, sha256));
      if (wav !== null) added.push(sha256);
    }
    const clipOf = (clip: AudioClip | null) => {
      if (clip === null) return null;
      return stored.has(clip.sha256) ? (stored.get(clip.sha256) ?? null) : clip;
    };
    return await store.addArchived(
      list.map((archived) => ({
        ...archived,
        turns: archived.turns.map((turn) => ({ ...turn, audio: clipOf(turn.audio) })),
      })),
    );
  } catch (error) {
    // Only what no turn names goes; nothing of a failed import stays.
    for (const sha256 of added) await audio.remove(sha256);
    throw error;
  }
}
