import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { idSchema, ParlanceError } from '../../contract/index.ts';
import { allIds, exportArchive } from '../../conversation/export-archive.ts';
import { importArchive } from '../../conversation/import-archive.ts';
import { forgetClip } from '../../engine/caches/clip-cache.ts';
import { forgetConversation } from '../../engine/caches/kv-snapshot.ts';
import { partialSuffix, syncFolder } from '../../platform/durable-file.ts';
import { openAudioStore } from '../../store/audio-store.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/protocol.ts';
import { entryUrl } from '../entries.ts';
import { exportName } from '../transfer.ts';
import { type Invocation, runs } from './invocation.ts';

export async function withStore({ home }: Invocation, work: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore({ folder: home.folder, workerUrl: entryUrl('store-worker') });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

export function conversationId(given: string | undefined): string {
  const id = idSchema.safeParse(given);
  if (id.success) return id.data;
  throw new ParlanceError(
    'conversation-missing',
    `${given ?? ''} is no id of a conversation.`,
    '`parlance history list` shows the ids.',
  );
}

const exportSchema = z.object({ format: z.enum(['markdown', 'json', 'zip']), output: z.string().optional() });

function addExport(history: Command): void {
  const command = history
    .command('export')
    .description('Writes conversations to a file: all of them, or those that are named.')
    .argument('[ID...]')
    .option('--format <NAME>', 'markdown (for reading), json (all branches), zip (with the sound)', 'zip')
    .option('-o, --output <PATH>', 'the file to write; parlance-DATE.zip and its like when left out');
  runs(command, exportSchema, (invocation, { format, output }, given) =>
    withStore(invocation, async (store) => {
      const audio = await openAudioStore({ folder: invocation.home.folder, clips: store });
      const ids = given.length === 0 ? await allIds(store) : given.map(conversationId);
      const path = output ?? exportName(format);
      // Beside the file, and renamed at the end: an export that fails leaves an older one as it was.
      const partial = `${path}${partialSuffix}`;
      try {
        const pieces = Readable.from(exportArchive({ store, audio }, ids, format), { objectMode: false });
        await pipeline(pieces, createWriteStream(partial, { flush: true, mode: 0o600 }), {
          signal: invocation.signal,
        });
        await rename(partial, path);
        await syncFolder(dirname(path));
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
      const { size: bytes } = await stat(path);
      invocation.output.event({ type: 'exported', path, conversations: ids.length, bytes });
      invocation.output.text(`${path}: ${ids.length} conversations, ${bytes} bytes\n`);
    }),
  );
}

function addImport(history: Command): void {
  const command = history
    .command('import')
    .description('Takes in an export, JSON or ZIP: all of it, or nothing where something is wrong with it.')
    .argument('<FILE>');
  runs(command, z.object({}), (invocation, _options, [path = '']) =>
    withStore(invocation, async (store) => {
      const audio = await openAudioStore({ folder: invocation.home.folder, clips: store });
      const imported = await importArchive({ store, audio }, path);
      for (const one of imported) {
        invocation.output.event({ type: 'imported', ...one });
        invocation.output.text(`${one.id}  ${one.outcome}\n`);
      }
      if (imported.length === 0) invocation.output.note('The file holds no conversations.');
    }),
  );
}

function addDelete(history: Command): void {
  const command = history
    .command('delete')
    .description('Deletes conversations; for a day `history restore` brings them back.')
    .argument('<ID...>')
    .option('--now', 'for good, at once');
  runs(command, z.object({ now: z.boolean().optional() }), (invocation, { now }, given) =>
    withStore(invocation, async (store) => {
      const { cache } = invocation.home;
      const ids = given.map(conversationId);
      if (now !== true) await store.trashConversations(ids);
      else {
        for (const id of ids) {
          const clips = await store.deleteConversation(id);
          await forgetConversation(cache, id);
          await Promise.all(clips.map((clip) => forgetClip(cache, clip)));
        }
      }
      for (const id of ids) invocation.output.event({ type: 'deleted', id, final: now === true });
      invocation.output.text(`${ids.length} deleted\n`);
    }),
  );

  const restore = history
    .command('restore')
    .description('Brings deleted conversations back; without an id it lists those that can be.')
    .argument('[ID...]');
  runs(restore, z.object({}), (invocation, _options, given) =>
    withStore(invocation, async (store) => {
      if (given.length > 0) await store.restoreConversations(given.map(conversationId));
      for (const { conversation, finalAt } of given.length > 0 ? [] : await store.trashed()) {
        invocation.output.event({ type: 'trashed', ...conversation, finalAt });
        invocation.output.text(
          `${conversation.id}  until ${new Date(finalAt).toISOString()}  ${conversation.title}\n`,
        );
      }
      for (const id of given) invocation.output.event({ type: 'restored', id });
    }),
  );
}

/** `parlance history export|import|delete|restore`: what goes out, comes in and is taken away. */
export function addHistoryTransfer(history: Command): void {
  addExport(history);
  addImport(history);
  addDelete(history);
}
