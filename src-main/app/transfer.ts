import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Imported, maxCallBytes, ParlanceError } from '../contract/index.ts';
import type { Conversations } from '../conversation/conversations.ts';
import type { ExportFormat } from '../conversation/export-archive.ts';

export const exportEndings = { markdown: 'md', json: 'json', zip: 'zip' } as const;

/** `parlance-2026-01-31.zip` */
export function exportName(format: ExportFormat): string {
  return `parlance-${new Date().toISOString().slice(0, 10)}.${exportEndings[format]}`;
}

/** An export for the screen, which takes it whole. Rejects with not-supported where it is more than one message holds. */
export async function exportedFile(
  conversations: Conversations,
  ids: readonly string[] | null,
  format: ExportFormat,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of conversations.exportArchive(ids, format)) {
    pieces.push(piece);
    length += piece.length;
    if (length > maxCallBytes) {
      throw new ParlanceError(
        'not-supported',
        `The export has more than ${maxCallBytes / 2 ** 20} MB, which is too much for this window.`,
        'Export fewer conversations at a time, or use `parlance history export`.',
      );
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { name: exportName(format), bytes };
}

/** An export that the screen hands over. */
export async function importedBytes(conversations: Conversations, bytes: Uint8Array): Promise<Imported[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-import-'));
  try {
    const path = join(folder, 'import');
    await writeFile(path, bytes, { mode: 0o600 });
    return await conversations.importArchive(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
