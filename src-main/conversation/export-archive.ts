import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';
import {
  type ArchivedConversation,
  type AudioStorePort,
  archiveFormat,
  archiveVersion,
  ParlanceError,
  type StorePort,
} from '../contract/index.ts';
import { markdownExport } from './markdown-export.ts';

export type ExportFormat = 'markdown' | 'json' | 'zip';

/** A ZIP without the 64-bit extension ends here; the sound of some 37 hours. */
const largestZip = 4_000_000_000;
const bytesPerSecond = 32_000;

export interface ExportPorts {
  readonly store: StorePort;
  readonly audio: AudioStorePort;
}

async function* jsonOf({ store }: ExportPorts, ids: readonly string[]): AsyncGenerator<string> {
  yield `{"format":"${archiveFormat}","version":${archiveVersion},"conversations":[`;
  for (const [place, id] of ids.entries()) {
    yield `${place === 0 ? '\n' : ',\n'}${JSON.stringify(await store.archived(id))}`;
  }
  yield '\n]}\n';
}

async function* markdownOf({ store }: ExportPorts, ids: readonly string[]): AsyncGenerator<string> {
  for (const [place, id] of ids.entries()) {
    const { markdown } = markdownExport(await store.conversation(id), await store.turns(id));
    yield place === 0 ? markdown : `\n---\n\n${markdown}`;
  }
}

const clipsOf = ({ turns }: ArchivedConversation) => turns.flatMap(({ audio }) => audio ?? []);

async function clipsIn({ store }: ExportPorts, ids: readonly string[]): Promise<string[]> {
  const seconds = new Map<string, number>();
  for (const id of ids) {
    for (const clip of clipsOf(await store.archived(id))) seconds.set(clip.sha256, clip.seconds);
  }
  const bytes = [...seconds.values()].reduce((sum, length) => sum + length * bytesPerSecond, 0);
  if (bytes > largestZip) {
    throw new ParlanceError(
      'not-supported',
      `The sound of these conversations has ${(bytes / 1e9).toFixed(1)} GB; a ZIP file holds ${largestZip / 1e9}.`,
      'Export fewer conversations at a time.',
    );
  }
  return [...seconds.keys()];
}

/** One clip at a time is in memory. A clip whose file is gone is left out: its turn comes back without sound. */
async function* zipOf(ports: ExportPorts, ids: readonly string[]): AsyncGenerator<Uint8Array> {
  const clips = await clipsIn(ports, ids);
  let ready: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    ready.push(chunk);
  });
  function* taken(): Generator<Uint8Array> {
    yield* ready;
    ready = [];
  }
  const list = new ZipDeflate('conversations.json', { level: 6 });
  zip.add(list);
  const encoder = new TextEncoder();
  for await (const piece of jsonOf(ports, ids)) {
    list.push(encoder.encode(piece));
    yield* taken();
  }
  list.push(new Uint8Array(), true);
  for (const sha256 of clips) {
    const wav = await soundOrNull(ports.audio, sha256);
    if (wav === null) continue;
    const entry = new ZipPassThrough(`audio/${sha256}.wav`);
    zip.add(entry);
    entry.push(wav, true);
    yield* taken();
  }
  zip.end();
  yield* taken();
}

async function soundOrNull(audio: AudioStorePort, sha256: string): Promise<Uint8Array | null> {
  try {
    return await audio.read(sha256);
  } catch (error) {
    if (error instanceof ParlanceError && error.code === 'file-missing') return null;
    throw error;
  }
}

/**
 * Conversations as the bytes of a file, piece by piece. `json` has every branch without the sound, `zip` has both; what
 * either holds can be imported. Rejects with conversation-missing and not-supported (too large for a ZIP).
 */
export async function* exportArchive(
  ports: ExportPorts,
  ids: readonly string[],
  format: ExportFormat,
): AsyncGenerator<Uint8Array> {
  if (format === 'zip') return yield* zipOf(ports, ids);
  const encoder = new TextEncoder();
  const pieces = format === 'json' ? jsonOf(ports, ids) : markdownOf(ports, ids);
  for await (const piece of pieces) yield encoder.encode(piece);
}

/** All conversations there are, those that changed last first. */
export async function allIds(store: StorePort): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.conversationPage({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    ids.push(...page.conversations.map(({ id }) => id));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return ids;
}
