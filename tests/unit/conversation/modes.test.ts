import { expect, test } from 'vitest';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';

const pirate = {
  name: 'Pirate',
  prompt: 'Talk like a pirate.',
  engine: 'speech-llm' as const,
  language: 'en',
  voice: 'af_heart',
  hotkey: 'Ctrl+Shift+1',
};
const plain = { name: 'Plain', prompt: '', engine: null, language: null, voice: null, hotkey: null };

test('a mode says what the model is told, who answers and in which language it hears, also after a restart', async () => {
  const folder = temporaryFolder();
  const before = await openConversations(folder);
  const mode = await before.conversations.modes.add(pirate);
  expect(mode).toMatchObject(pirate);
  const asked = await before.conversations.askAudio({
    conversationId: null,
    samples: tone(300, 1),
    modeId: mode.id,
  });
  await before.conversations.finished(asked.answer.id);
  expect(asked.conversation.modeId).toBe(mode.id);
  expect(before.engine.requests[0]).toMatchObject({ engine: 'speech-llm' });
  expect(before.engine.requests[0]?.turns[0]).toEqual({
    type: 'text',
    role: 'system',
    text: 'Talk like a pirate.',
  });
  before.engine.heardAs = 'ahoy';
  await before.conversations.heardAs(asked.question.id);
  expect(before.engine.transcriptions[0]?.language).toBe('en');
  await before.store.close();

  const { conversations, engine, events, store } = await openConversations(folder);
  const id = asked.conversation.id;
  expect((await conversations.page({ mode: mode.id, limit: 9 })).conversations.map((one) => one.id)).toEqual([
    id,
  ]);
  await conversations.modes.change({ id: mode.id, prompt: 'Talk like a sailor.', engine: null });
  const next = await conversations.askText({ conversationId: id, text: 'more' });
  await conversations.finished(next.answer.id);
  expect(engine.requests[0]?.engine).toBe('cascade');
  expect(engine.requests[0]?.turns[0]).toMatchObject({ text: 'Talk like a sailor.' });
  await conversations.modes.remove(mode.id);
  expect(events).toContainEqual({ event: 'modes.updated', modes: [] });
  expect((await conversations.open(id)).conversation.modeId).toBeNull();
  const last = await conversations.askText({ conversationId: id, text: 'and more' });
  await conversations.finished(last.answer.id);
  expect(engine.requests[1]?.turns[0]).toMatchObject({ role: 'user' });
  await store.close();
});

test('two modes have no hotkey in common, and none that is not there can be chosen', async () => {
  const { conversations, store } = await openConversations(temporaryFolder());
  const { modes } = conversations;
  await modes.add(pirate);
  const other = await modes.add(plain);
  await modes.add({ ...plain, name: 'Third' });
  const refused = { code: 'invalid-request' };
  await expect(modes.add({ ...plain, hotkey: pirate.hotkey })).rejects.toMatchObject(refused);
  await expect(modes.change({ id: other.id, hotkey: pirate.hotkey })).rejects.toMatchObject(refused);
  await expect(modes.change({ id: 'none', name: 'x' })).rejects.toMatchObject(refused);
  await expect(
    conversations.askText({ conversationId: null, text: 'x', modeId: 'none' }),
  ).rejects.toMatchObject(refused);
  expect(await conversations.list({ limit: 9 })).toEqual([]);
  expect((await modes.list()).map(({ name }) => name)).toEqual(['Pirate', 'Plain', 'Third']);
  const asked = await conversations.askText({ conversationId: null, text: 'x' });
  expect(await conversations.setMode(asked.conversation.id, other.id)).toMatchObject({ modeId: other.id });
  expect(await conversations.setMode(asked.conversation.id, null)).toMatchObject({ modeId: null });
  await conversations.close();
  await store.close();
});
