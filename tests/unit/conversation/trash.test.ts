import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';

const dayMs = 24 * 60 * 60 * 1000;
const missing = { code: 'conversation-missing' };

async function spokenIn(open: Awaited<ReturnType<typeof openConversations>>, pitch: number) {
  const asked = await open.conversations.askAudio({ conversationId: null, samples: tone(pitch, 1) });
  await open.conversations.finished(asked.answer.id);
  return { id: asked.conversation.id, sha256: asked.question.audio?.sha256 ?? '' };
}

test('several are deleted at once and brought back whole; what is final is gone with its sound', async () => {
  const open = await openConversations(temporaryFolder());
  const { conversations, store, audio, events } = open;
  const [one, two, kept] = [await spokenIn(open, 300), await spokenIn(open, 400), await spokenIn(open, 500)];
  const listed = () => conversations.list({ limit: 9 }).then((all) => all.map(({ id }) => id));

  await expect(conversations.trash.put([one.id, 'nowhere'])).rejects.toMatchObject(missing);
  expect((await listed()).length).toBe(3);
  const trashed = await conversations.trash.put([one.id, two.id]);
  expect(trashed.map(({ conversation }) => conversation.id).sort()).toEqual([one.id, two.id].sort());
  expect(events).toContainEqual({ event: 'conversation.deleted', id: one.id });
  expect(await listed()).toEqual([kept.id]);
  expect((await conversations.search({ words: 'heard', limit: 9 })).hits.length).toBe(1);
  expect(await conversations.list({ search: 'heard', limit: 9 })).toHaveLength(1);
  await expect(conversations.open(one.id)).rejects.toMatchObject(missing);
  await expect(conversations.askText({ conversationId: one.id, text: 'x' })).rejects.toMatchObject(missing);
  await conversations.trash.sweep();
  expect((await audio.read(one.sha256)).length).toBe(44 + 32000);

  await conversations.trash.restore([one.id]);
  expect((await conversations.open(one.id)).turns.length).toBe(2);
  await conversations.trash.purge([one.id, two.id]);
  expect((await conversations.open(one.id)).turns.length).toBe(2);
  await expect(audio.path(two.sha256)).rejects.toMatchObject({ code: 'file-missing' });
  await expect(conversations.trash.restore([two.id])).rejects.toMatchObject(missing);

  await conversations.trash.put([one.id]);
  await conversations.trash.sweep(Date.now() + 2 * dayMs);
  await expect(audio.path(one.sha256)).rejects.toMatchObject({ code: 'file-missing' });
  expect(await store.trashed()).toEqual([]);
  expect(await listed()).toEqual([kept.id]);
  await store.close();
});

test('what is older than the settings keep is deleted, a day before it is final; pinned ones stay', async () => {
  const open = await openConversations(temporaryFolder());
  const { conversations, store } = open;
  const [old, pinned] = [await spokenIn(open, 300), await spokenIn(open, 400)];
  await conversations.pin(pinned.id, true);
  const later = Date.now() + 31 * dayMs;
  await conversations.trash.sweep(later);
  expect((await conversations.list({ limit: 9 })).length).toBe(2);
  await store.updateSettings({ keepDays: 30 });
  await conversations.trash.sweep();
  expect((await conversations.list({ limit: 9 })).length).toBe(2);
  // The clock was a month wrong: nothing is lost.
  await store.trashUnused(later - 30 * dayMs);
  expect((await conversations.list({ limit: 9 })).map(({ id }) => id)).toEqual([pinned.id]);
  await conversations.trash.sweep();
  await conversations.trash.restore([old.id]);
  expect((await conversations.open(old.id)).turns.length).toBe(2);
  await store.close();
});

test('kill -9 after each step of deleting leaves what the step said', async () => {
  const script = fileURLToPath(new URL('../../fixtures/store/deleter.ts', import.meta.url));
  for (const [state, expected] of [
    ['deleted', { listed: 0, trashed: 1, sound: true }],
    ['restored', { listed: 1, trashed: 0, sound: true }],
    ['deleted again', { listed: 0, trashed: 1, sound: true }],
    ['gone', { listed: 0, trashed: 0, sound: false }],
  ] as const) {
    const folder = temporaryFolder();
    const before = await openConversations(folder);
    const { id, sha256 } = await spokenIn(before, 300);
    await before.store.close();
    const child = spawn(process.execPath, [script, folder, id, state], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await closed;
    const { conversations, store, audio } = await openConversations(folder);
    const listed = (await conversations.list({ limit: 9 })).length;
    const trashed = (await store.trashed()).length;
    const sound = await audio.path(sha256).then(
      () => true,
      () => false,
    );
    expect({ listed, trashed, sound }, state).toEqual(expected);
    await store.close();
  }
}, 240_000);
