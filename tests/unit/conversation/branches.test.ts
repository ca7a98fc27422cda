import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';

type Open = Awaited<ReturnType<typeof openConversations>>;

async function ask({ conversations }: Open, conversationId: string | null, text: string, replaces?: string) {
  const asked = await conversations.askText({ conversationId, text, replaces });
  await conversations.finished(asked.answer.id);
  return asked;
}

test('an edited question stands beside the old one, is answered without it, and the old branch goes on existing', async () => {
  const folder = temporaryFolder();
  const open = await openConversations(folder);
  const first = await ask(open, null, 'one');
  const id = first.conversation.id;
  const second = await ask(open, id, 'two');
  const third = await ask(open, id, 'three');
  const edited = await ask(open, id, 'TWO', second.question.id);
  expect(edited.question.parentId).toBe(first.answer.id);
  expect(open.engine.requests.at(-1)?.turns.map((turn) => (turn.type === 'text' ? turn.text : ''))).toEqual([
    'one',
    'You said: one',
    'TWO',
  ]);
  // The next question follows what is shown.
  const next = await ask(open, id, 'four');
  expect(next.question.parentId).toBe(edited.answer.id);
  // The old branch is shown again, after a restart too, and a question asked there follows it.
  const { chosen } = await open.conversations.choose(third.answer.id);
  await open.store.close();
  const again = await openConversations(folder);
  expect((await again.conversations.open(id)).chosen).toEqual(chosen);
  const fifth = await ask(again, id, 'five');
  expect(fifth.question.parentId).toBe(third.answer.id);
  expect((await again.conversations.versions(second.question.id)).map(({ text }) => text)).toEqual([
    'two',
    'TWO',
  ]);
  await again.store.close();
});

test('a first question is edited as any other, and a spoken one by words or by sound', async () => {
  const open = await openConversations(temporaryFolder());
  const spoken = await open.conversations.askAudio({ conversationId: null, samples: tone(300, 1) });
  await open.conversations.finished(spoken.answer.id);
  const id = spoken.conversation.id;
  const typed = await ask(open, id, 'what I meant', spoken.question.id);
  expect(typed.question).toMatchObject({ parentId: null, kind: 'typed' });
  const { id: recording } = await open.spool.start(id);
  await open.spool.append(recording, new Uint8Array(32000));
  const resent = await open.conversations.sendRecording({ id: recording, replaces: spoken.question.id });
  expect(resent.question).toMatchObject({ parentId: null, kind: 'spoken' });
  await open.conversations.finished(resent.answer.id);
  expect((await open.conversations.versions(spoken.question.id)).length).toBe(3);
  await expect(
    open.conversations.askText({ conversationId: id, text: 'x', replaces: spoken.answer.id }),
  ).rejects.toMatchObject({ code: 'invalid-request' });
  const other = await ask(open, null, 'elsewhere');
  await expect(
    open.conversations.askText({ conversationId: id, text: 'x', replaces: other.question.id }),
  ).rejects.toMatchObject({ code: 'invalid-request' });
  await open.store.close();
});

test('the other engine answers beside the first one, each with its times', async () => {
  const open = await openConversations(temporaryFolder());
  const asked = await ask(open, null, 'one');
  const other = await open.conversations.retry({ answerId: asked.answer.id, engine: 'other' });
  await open.conversations.finished(other.answer.id);
  const back = await open.conversations.retry({ answerId: other.answer.id, engine: 'other' });
  await open.conversations.finished(back.answer.id);
  const versions = await open.conversations.versions(asked.answer.id);
  expect(versions.map(({ engine }) => engine)).toEqual(['cascade', 'speech-llm', 'cascade']);
  for (const version of versions) expect(version.timings?.firstTokenMs).toBe(7);
  const { chosen } = await open.conversations.open(asked.conversation.id);
  expect(chosen).toContain(back.answer.id);
  expect(chosen).not.toContain(other.answer.id);
  await open.store.close();
});

test('a turn is deleted with all below it and with its sound, on every branch, and the conversation goes on before it', async () => {
  const folder = temporaryFolder();
  const forgotten: unknown[] = [];
  const open = await openConversations(folder, {
    forget: async (...what) => {
      forgotten.push(what);
    },
  });
  const { conversations, store, events, engine } = open;
  const first = await ask(open, null, 'one');
  const id = first.conversation.id;
  const spoken = await conversations.askAudio({ conversationId: id, samples: tone(440, 1) });
  await conversations.finished(spoken.answer.id);
  const below = await ask(open, id, 'three');
  const edited = await ask(open, id, 'THREE', below.question.id);
  const paused = engine.pauseBefore(1);
  const streaming = await conversations.askText({ conversationId: id, text: 'being answered' });
  await paused;

  const { deleted } = await conversations.removeTurn(spoken.question.id);
  const gone = [spoken, below, edited, streaming].flatMap(({ question, answer }) => [question.id, answer.id]);
  expect(new Set(deleted)).toEqual(new Set(gone));
  expect(events).toContainEqual({ event: 'turns.deleted', conversationId: id, ids: deleted });
  expect(await store.turns(id)).toMatchObject([{ id: first.question.id }, { id: first.answer.id }]);
  expect(await store.conversation(id)).toMatchObject({ turnCount: 2, spoken: false });
  expect(await store.conversations({ search: 'three', limit: 9 })).toEqual([]);
  const hash = spoken.question.audio?.sha256 ?? '';
  expect(readdirSync(join(folder, 'audio', hash.slice(0, 2)))).toEqual([]);
  expect(forgotten).toEqual([[id, [hash]]]);
  engine.resume();
  expect((await ask(open, id, 'again')).question.parentId).toBe(first.answer.id);
  await store.close();
});
