import { expect, test } from 'vitest';
import { settingsSchema } from '../../../src-main/contract/index.ts';
import { openStore } from '../../../src-main/store/open-store.ts';
import { answerTo, typedQuestion } from '../../fixtures/store/turns.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const usage = { promptTokens: 9, cachedTokens: 4, audioTokens: 3, completionTokens: 2 };
const timings = {
  featuresMs: 1.5,
  encodeMs: 2,
  adaptMs: 3,
  transcribeMs: 0,
  prefillMs: 4,
  firstTokenMs: 5,
  decodeMs: 6,
  tokensPerSecond: 31.25,
};

test('a question and its answer are there, whole, after the store is closed and opened again', async () => {
  const folder = temporaryFolder();
  const store = await openStore({ folder });
  const conversation = await store.createConversation('Tea');
  const question = typedQuestion(conversation.id, 'How hot should the water be?');
  const answer = answerTo(question, { status: 'streaming' });
  const added = await store.addTurns([question, answer]);
  const finished = await store.updateTurn(answer.id, {
    text: 'Eighty degrees.',
    status: 'complete',
    engine: 'speech-llm',
    bundle: 'parlance-mini',
    provider: 'cpu',
    usage,
    timings,
  });
  await store.close();

  const again = await openStore({ folder });
  expect(await again.turns(conversation.id)).toEqual([added[0], finished]);
  expect(finished).toMatchObject({ text: 'Eighty degrees.', usage, timings, failure: null });
  expect(await again.conversation(conversation.id)).toMatchObject({
    title: 'Tea',
    turnCount: 2,
    spoken: false,
  });
  await again.close();
});

test('turns of a question and an answer are added together or not at all', async () => {
  const store = await openStore({ folder: temporaryFolder() });
  const { id } = await store.createConversation('Tea');
  const question = typedQuestion(id, 'Green or black?');
  const twice = { ...answerTo(question), id: question.id };
  await expect(store.addTurns([question, twice])).rejects.toThrow();
  expect(await store.turns(id)).toEqual([]);
  expect((await store.conversation(id)).turnCount).toBe(0);
  await store.close();
});

test('the list has pinned conversations first, then those that changed last', async () => {
  const store = await openStore({ folder: temporaryFolder() });
  const [one, two, three] = [
    await store.createConversation('one'),
    await store.createConversation('two'),
    await store.createConversation('three'),
  ];
  await store.addTurn(typedQuestion(one.id, 'hello'));
  await store.pinConversation(two.id, true);
  const titles = async (limit: number) => (await store.conversations({ limit })).map(({ title }) => title);
  expect((await titles(10))[0]).toBe('two');
  expect(new Set(await titles(10))).toEqual(new Set(['one', 'two', 'three']));
  expect(await titles(1)).toEqual(['two']);
  expect((await store.renameConversation(three.id, 'drei')).title).toBe('drei');
  await store.close();
});

test('what is not there is said to be missing', async () => {
  const store = await openStore({ folder: temporaryFolder() });
  const conversation = { code: 'conversation-missing' };
  await expect(store.conversation('x')).rejects.toMatchObject(conversation);
  await expect(store.turns('x')).rejects.toMatchObject(conversation);
  await expect(store.renameConversation('x', 'y')).rejects.toMatchObject(conversation);
  await expect(store.deleteConversation('x')).rejects.toMatchObject(conversation);
  await expect(store.addTurn(typedQuestion('x', 'hello'))).rejects.toMatchObject(conversation);
  await expect(store.turn('x')).rejects.toMatchObject({ code: 'turn-missing' });
  await expect(store.updateTurn('x', { text: 'y' })).rejects.toMatchObject({ code: 'turn-missing' });
  const { id } = await store.createConversation('Tea');
  await expect(store.addTurn(typedQuestion(id, 'hello', 'x'))).rejects.toMatchObject({
    code: 'turn-missing',
  });
  await store.close();
});

test('a change of settings keeps those it leaves out, also for the next start', async () => {
  const folder = temporaryFolder();
  const store = await openStore({ folder });
  expect(await store.settings()).toEqual(settingsSchema.parse({}));
  await store.updateSettings({ theme: 'dark', microphone: 'Desk' });
  expect(await store.updateSettings({ panelOpen: false })).toMatchObject({ theme: 'dark', panelOpen: false });
  await store.close();
  const again = await openStore({ folder });
  expect(await again.settings()).toMatchObject({ theme: 'dark', microphone: 'Desk', panelOpen: false });
  await again.close();
});

test('a deleted conversation is gone with its turns and cannot be found', async () => {
  const store = await openStore({ folder: temporaryFolder() });
  const { id } = await store.createConversation('Tea');
  const question = typedQuestion(id, 'Oolong?');
  await store.addTurns([question, answerTo(question, { text: 'Ninety degrees.' })]);
  expect((await store.conversations({ search: 'oolong', limit: 5 })).length).toBe(1);
  await store.deleteConversation(id);
  expect(await store.conversations({ limit: 5 })).toEqual([]);
  expect(await store.conversations({ search: 'oolong', limit: 5 })).toEqual([]);
  await expect(store.turn(question.id)).rejects.toMatchObject({ code: 'turn-missing' });
  await store.close();
});

test('two stores on one folder, as the app and a command have them, see each other at once', async () => {
  const folder = temporaryFolder();
  const [app, command] = await Promise.all([openStore({ folder }), openStore({ folder })]);
  const { id } = await app.createConversation('Tea');
  await Promise.all(
    Array.from({ length: 40 }, (_, place) =>
      (place % 2 === 0 ? app : command).addTurn(typedQuestion(id, `question ${place}`)),
    ),
  );
  expect((await command.turns(id)).length).toBe(40);
  expect((await app.conversation(id)).turnCount).toBe(40);
  await Promise.all([app.close(), command.close()]);
});

test('calls after the store was closed are refused, closing twice is not', async () => {
  const store = await openStore({ folder: temporaryFolder() });
  await Promise.all([store.close(), store.close()]);
  await expect(store.settings()).rejects.toMatchObject({ code: 'internal' });
});
