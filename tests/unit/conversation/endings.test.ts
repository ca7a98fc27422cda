import { describe, expect, test } from 'vitest';
import { ParlanceError } from '../../../src-main/contract/index.ts';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';

const stopped = new ParlanceError('engine-stopped', 'The engine stopped.', 'Try again.');
const sound = tone(440, 1);

describe('however an answer ends, its turn says so and keeps what it had', () => {
  test('stopped', async () => {
    const { conversations, store, engine } = await openConversations(temporaryFolder());
    const paused = engine.pauseBefore(2);
    const { answer } = await conversations.askText({ conversationId: null, text: 'Hi' });
    await paused;
    await conversations.stop(answer.id);
    expect(await store.turn(answer.id)).toMatchObject({
      status: 'stopped',
      text: 'You said:',
      failure: null,
    });
    await conversations.stop(answer.id);
    await store.close();
  });

  test('interrupted, when the engine process died', async () => {
    const { conversations, store, engine } = await openConversations(temporaryFolder());
    const paused = engine.pauseBefore(1);
    const { answer } = await conversations.askText({ conversationId: null, text: 'Hi' });
    await paused;
    engine.resume(stopped);
    expect(await conversations.finished(answer.id)).toMatchObject({
      status: 'interrupted',
      text: 'You',
      engine: 'cascade',
      failure: stopped.toFailure(),
    });
    await store.close();
  });

  test('failed, and "try again" answers the same sound beside it', async () => {
    const { conversations, store, engine } = await openConversations(temporaryFolder());
    const paused = engine.pauseBefore(0);
    const asked = await conversations.askAudio({ conversationId: null, samples: sound });
    await paused;
    engine.resume(new ParlanceError('audio-too-long', 'Too long.', 'Ask less.'));
    const failed = await conversations.finished(asked.answer.id);
    expect(failed).toMatchObject({
      status: 'failed',
      text: '',
      failure: { code: 'audio-too-long', hint: 'Ask less.' },
    });

    const again = await conversations.retry({ answerId: failed.id, engine: 'speech-llm' });
    expect(again.question).toEqual(asked.question);
    expect(await conversations.finished(again.answer.id)).toMatchObject({
      status: 'complete',
      parentId: asked.question.id,
    });
    expect(engine.requests.map(({ turns }) => turns)).toEqual([
      engine.requests[0]?.turns,
      engine.requests[0]?.turns,
    ]);
    expect((await conversations.open(asked.conversation.id)).turns.length).toBe(3);
    await expect(conversations.retry({ answerId: asked.question.id })).rejects.toMatchObject({
      code: 'invalid-request',
    });
    await store.close();
  });

  test('failed without a bundle: the question and its sound are kept', async () => {
    const missing = new ParlanceError(
      'bundle-missing',
      'No bundle is installed.',
      'Run `parlance models pull`.',
    );
    const { conversations, store } = await openConversations(temporaryFolder(), {
      bundle: () => Promise.reject(missing),
    });
    const asked = await conversations.askAudio({ conversationId: null, samples: sound });
    expect(await conversations.finished(asked.answer.id)).toMatchObject({
      status: 'failed',
      failure: missing.toFailure(),
    });
    expect((await conversations.audio(asked.question.id)).wav.length).toBe(44 + 32000);
    await store.close();
  });

  test('failed at silence, which the engine is not asked about', async () => {
    const { conversations, store, engine } = await openConversations(temporaryFolder());
    const asked = await conversations.askAudio({ conversationId: null, samples: new Float32Array(16000) });
    expect(await conversations.finished(asked.answer.id)).toMatchObject({
      status: 'failed',
      failure: { code: 'audio-silent' },
    });
    expect(engine.requests).toEqual([]);
    await store.close();
  });

  test('failed with a bug of the engine, which is shown as one', async () => {
    const { conversations, store, engine } = await openConversations(temporaryFolder());
    engine.answer = () => Promise.reject(new TypeError('x is undefined'));
    const { answer } = await conversations.askText({ conversationId: null, text: 'Hi' });
    expect(await conversations.finished(answer.id)).toMatchObject({
      status: 'failed',
      failure: { code: 'internal' },
    });
    await store.close();
  });

  test('when its state can no longer be stored, whoever waits is told and nothing is thrown', async () => {
    const { conversations, store, engine, events } = await openConversations(temporaryFolder(), {
      report: () => undefined,
    });
    const paused = engine.pauseBefore(1);
    const { answer } = await conversations.askText({ conversationId: null, text: 'Hi' });
    await paused;
    await store.close();
    engine.resume();
    expect(await conversations.finished(answer.id)).toMatchObject({ status: 'failed', text: 'You said: Hi' });
    expect(events.at(-1)).toMatchObject({ event: 'turn.updated', turn: { status: 'failed' } });
  });
});

test('words are on disk half a second after they were said, while the answer goes on', async () => {
  const { conversations, store, engine } = await openConversations(temporaryFolder());
  const paused = engine.pauseBefore(2);
  const { answer } = await conversations.askText({ conversationId: null, text: 'Hi' });
  await paused;
  await expect.poll(async () => (await store.turn(answer.id)).text, { timeout: 5000 }).toBe('You said:');
  expect((await store.turn(answer.id)).status).toBe('streaming');
  engine.resume();
  await conversations.finished(answer.id);
  await store.close();
});

test('a new question breaks off the answer that is being written, which stays in the context as far as it came', async () => {
  const { conversations, store, engine } = await openConversations(temporaryFolder());
  const paused = engine.pauseBefore(2);
  const first = await conversations.askText({ conversationId: null, text: 'one' });
  await paused;
  const second = await conversations.askText({ conversationId: first.conversation.id, text: 'two' });
  expect((await store.turn(first.answer.id)).status).toBe('stopped');
  await conversations.stop(second.answer.id);
  expect(engine.requests[1]?.turns).toEqual([
    { type: 'text', role: 'user', text: 'one' },
    { type: 'text', role: 'assistant', text: 'You said:' },
    { type: 'text', role: 'user', text: 'two' },
  ]);
  await store.close();
});
