import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';
import { parlance } from './parlance.ts';

async function homeWithSound(): Promise<{ home: string; id: string }> {
  const home = temporaryFolder();
  const { conversations, store } = await openConversations(home);
  const asked = await conversations.askAudio({ conversationId: null, samples: tone(440, 1) });
  await conversations.finished(asked.answer.id);
  await store.close();
  return { home, id: asked.conversation.id };
}

test('a history is searched, exported, taken in elsewhere, deleted, brought back and deleted for good', async () => {
  const { home, id } = await homeWithSound();
  const found = await parlance(home, ['history', 'search', 'some', 'sou', '--spoken', '--json']);
  expect(found.last).toMatchObject({ type: 'conversation', id, passages: [{ source: 'text' }] });
  const none = await parlance(home, ['history', 'search', 'sound', '--to', '2020-01-31', '--json']);
  expect([none.code, none.stdout]).toEqual([0, '']);

  const file = join(home, 'all.zip');
  const out = await parlance(home, ['history', 'export', '-o', file, '--json']);
  expect(out.last).toMatchObject({ type: 'exported', path: file, conversations: 1 });
  expect(readdirSync(home).filter((name) => name.includes('partial'))).toEqual([]);
  const elsewhere = temporaryFolder();
  const taken = await parlance(elsewhere, ['history', 'import', file, '--json']);
  expect(taken.last).toMatchObject({ type: 'imported', id, outcome: 'added' });
  const shown = await parlance(elsewhere, ['history', 'show', id, '--json']);
  expect(shown.stdout).toBe((await parlance(home, ['history', 'show', id, '--json'])).stdout);

  expect((await parlance(home, ['history', 'delete', id])).code).toBe(0);
  expect((await parlance(home, ['history', 'show', id])).code).toBe(1);
  const trashed = await parlance(home, ['history', 'restore', '--json']);
  expect(trashed.last).toMatchObject({ type: 'trashed', id });
  expect((await parlance(home, ['history', 'restore', id])).code).toBe(0);
  expect((await parlance(home, ['history', 'show', id])).code).toBe(0);
  expect((await parlance(home, ['history', 'delete', '--now', id])).code).toBe(0);
  expect((await parlance(home, ['history', 'restore', '--json'])).stdout).toBe('');
  const audio = join(home, 'audio');
  expect(readdirSync(audio, { recursive: true }).filter((name) => String(name).endsWith('.wav'))).toEqual([]);
}, 300_000);

test('a file that is no export is refused in one line, and leaves nothing', async () => {
  const home = temporaryFolder();
  const file = join(home, 'hostile.json');
  writeFileSync(file, '{"format":"parlance-conversations","version":1,"conversations":[{"id":"../x"}]}');
  const refused = await parlance(home, ['history', 'import', file]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^error: This is no export of Parlance.*; .*\n$/);
  const missing = await parlance(home, ['history', 'export', 'nothing', '-o', join(home, 'x.zip')]);
  expect(missing.code).toBe(1);
  expect(existsSync(join(home, 'x.zip'))).toBe(false);
  expect((await parlance(home, ['history', 'search', 'x', '--from', 'yesterday'])).code).toBe(2);
}, 120_000);
