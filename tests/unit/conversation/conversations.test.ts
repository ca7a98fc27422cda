import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AppEvent, eventSchema } from '../../../src-main/contract/index.ts';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { pcm16, tone } from '../../fixtures/voice/tones.ts';

const sound = tone(440, 1);

function tokensOf(events: readonly AppEvent[], turnId: string) {
  return events.flatMap((event) => (event.event === 'turn.token' && event.turnId === turnId ? [event] : []));
}

describe('a question is asked', () => {
  test('typed: both turns are on disk when asking resolves, then the answer streams and is kept', async () => {
    const { conversations, store, events } = await openConversations(temporaryFolder());
    const asked = await conversations.askText({ conversationId: null, text: '  How hot is tea?  ' });
    expect(asked.conversation).toMatchObject({ title: 'How hot is tea?', turnCount: 2 });
    expect(asked.question).toMatchObject({ text: 'How hot is tea?', kind: 'typed', parentId: null });
    expect(asked.answer).toMatchObject({ parentId: asked.question.id, bundle: 'parlance-mini' });
    const answer = await conversations.finished(asked.answer.id);
    expect(answer).toMatchObject({ text: 'You said: How hot is tea?', status: 'complete', provider: 'cpu' });
    expect(answer.usage?.completionTokens).toBe(6);
    expect(answer.timings?.firstTokenMs).toBe(7);
    expect(await store.turns(asked.conversation.id)).toEqual([asked.question, answer]);

    const tokens = tokensOf(events, answer.id);
    expect(tokens.map(({ text }) => text).join('')).toBe(answer.text);
    let length = 0;
    for (const token of tokens) {
      expect(token.length).toBe(length);
      length += token.text.length;
    }
    for (const event of events) eventSchema.parse(event);
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['turn.created', 'turn.phase', 'turn.updated']),
    );
    await store.close();
  });

  test('spoken: the sound is stored before the engine hears of it, and the engine is given its file', async () => {
    const folder = temporaryFolder();
    const { conversations, store, audio, engine } = await openConversations(folder);
    engine.heardAs = 'how hot is tea';
    const asked = await conversations.askAudio({ conversationId: null, samples: sound });
    const answer = await conversations.finished(asked.answer.id);
    expect(answer.status).toBe('complete');
    const [turn] = engine.requests[0]?.turns ?? [];
    expect(turn).toMatchObject({ type: 'audio', sha256: asked.question.audio?.sha256, transcript: null });
    expect(turn?.type === 'audio' && existsSync(turn.path)).toBe(true);
    expect((await conversations.audio(asked.question.id)).wav).toEqual(
      await audio.read(asked.question.audio?.sha256 ?? ''),
    );

    const { conversation, turns } = await conversations.open(asked.conversation.id);
    expect(conversation).toMatchObject({ title: 'how hot is tea', spoken: true });
    expect(turns[0]?.heardAs).toBe('how hot is tea');
    await conversations.finished(
      (await conversations.askText({ conversationId: conversation.id, text: 'And coffee?' })).answer.id,
    );
    expect(engine.requests[1]?.turns.map((earlier) => earlier.type)).toEqual(['audio', 'text', 'text']);
    expect(engine.requests[1]?.turns[0]).toMatchObject({ transcript: 'how hot is tea' });
    await store.close();
  });

  test('what the head of the speech LLM heard titles a conversation but is not passed on as a transcript', async () => {
    const { conversations, store, engine } = await openConversations(temporaryFolder());
    engine.heardAs = 'how hod is dea';
    const asked = await conversations.askAudio({
      conversationId: null,
      samples: sound,
      engine: 'speech-llm',
    });
    await conversations.finished(asked.answer.id);
    const { conversation, turns } = await conversations.open(asked.conversation.id);
    expect(conversation.title).toBe('how hod is dea');
    expect(turns[0]?.heardAs).toBeNull();
    await store.close();
  });

  test('a recording is sent once, its sound goes to its turn and its file goes', async () => {
    const folder = temporaryFolder();
    const { conversations, store, spool } = await openConversations(folder);
    const { id } = await spool.start(null);
    await spool.append(id, pcm16(sound));
    const [one, two] = await Promise.all([
      conversations.sendRecording({ id }),
      conversations.sendRecording({ id }),
    ]);
    expect(two).toBe(one);
    expect(one.question.audio?.seconds).toBe(1);
    expect(readdirSync(join(folder, 'spool'))).toEqual([]);
    await expect(conversations.sendRecording({ id })).rejects.toMatchObject({ code: 'recording-missing' });
    await conversations.close();
    await store.close();
  });

  test('a recording for a conversation that was deleted since opens a new one', async () => {
    const { conversations, store, spool } = await openConversations(temporaryFolder());
    const asked = await conversations.askText({ conversationId: null, text: 'Hello' });
    const { id } = await spool.start(asked.conversation.id);
    await spool.append(id, pcm16(sound));
    await conversations.remove(asked.conversation.id);
    const sent = await conversations.sendRecording({ id });
    expect(sent.conversation.id).not.toBe(asked.conversation.id);
    await conversations.close();
    await store.close();
  });

  test('the engine, device and sampling are those asked for, else of the settings and the bundle', async () => {
    const { conversations, store, engine } = await openConversations(temporaryFolder());
    const ask = async (options: object) =>
      conversations.finished(
        (await conversations.askText({ conversationId: null, text: 'Hi', ...options })).answer.id,
      );
    await ask({});
    await store.updateSettings({ engine: 'speech-llm', device: 'webgpu' });
    await ask({});
    await ask({ engine: 'cascade', device: 'cpu', sampling: { maxTokens: 5, seed: 3 } });
    expect(engine.requests.map((request) => [request.engine, request.device])).toEqual([
      ['cascade', 'auto'],
      ['speech-llm', 'webgpu'],
      ['cascade', 'cpu'],
    ]);
    expect(engine.requests[0]?.sampling).toEqual({
      maxTokens: 99,
      temperature: 0.5,
      topP: 0.9,
      repetitionPenalty: 1.1,
      seed: 0,
    });
    expect(engine.requests[2]?.sampling).toMatchObject({ maxTokens: 5, temperature: 0.5, seed: 3 });
    await store.close();
  });

  test('two questions asked at once follow each other, they do not branch', async () => {
    const { conversations, store } = await openConversations(temporaryFolder());
    const first = await conversations.askText({ conversationId: null, text: 'one' });
    const conversationId = first.conversation.id;
    const [two, three] = await Promise.all(
      ['two', 'three'].map((text) => conversations.askText({ conversationId, text })),
    );
    expect(two?.question.parentId).toBe(first.answer.id);
    expect(three?.question.parentId).toBe(two?.answer.id);
    await conversations.close();
    await store.close();
  });
});

describe('what is asked wrongly is refused and stores nothing', () => {
  test.each([
    ['text-empty', ' \n'],
    ['text-too-long', 'a'.repeat(200_001)],
  ])('%s', async (code, text) => {
    const { conversations, store } = await openConversations(temporaryFolder());
    await expect(conversations.askText({ conversationId: null, text })).rejects.toMatchObject({ code });
    expect(await conversations.list({ limit: 5 })).toEqual([]);
    await store.close();
  });

  test.each([
    ['audio-empty', 0],
    ['audio-too-short', 0.1],
    ['audio-too-long', 30 * 60 + 1],
  ])('%s', async (code, seconds) => {
    const folder = temporaryFolder();
    const { conversations, store } = await openConversations(folder);
    const samples = new Float32Array(seconds * 16000);
    await expect(conversations.askAudio({ conversationId: null, samples })).rejects.toMatchObject({ code });
    expect(await conversations.list({ limit: 5 })).toEqual([]);
    expect(existsSync(join(folder, 'audio'))).toBe(false);
    await store.close();
  });

  test('a conversation that is not there', async () => {
    const { conversations, store } = await openConversations(temporaryFolder());
    const missing = { code: 'conversation-missing' };
    await expect(conversations.askText({ conversationId: 'x', text: 'Hi' })).rejects.toMatchObject(missing);
    await expect(conversations.askAudio({ conversationId: 'x', samples: sound })).rejects.toMatchObject(
      missing,
    );
    await store.close();
  });
});

test('deleting a conversation ends its answer, and takes its sound and what the engine keeps of it', async () => {
  const folder = temporaryFolder();
  const forgotten: unknown[] = [];
  const { conversations, store, engine, events } = await openConversations(folder, {
    forget: async (...what) => {
      forgotten.push(what);
    },
  });
  const shared = { samples: tone(300, 1) };
  const other = await conversations.askAudio({ conversationId: null, ...shared });
  await conversations.finished(other.answer.id);
  const paused = engine.pauseBefore(1);
  const { conversation, question } = await conversations.askAudio({ conversationId: null, samples: sound });
  await paused;
  await conversations.askAudio({ conversationId: conversation.id, ...shared });
  await conversations.remove(conversation.id);
  // The sound that another conversation holds as well stays.
  expect(forgotten).toEqual([[conversation.id, [question.audio?.sha256]]]);
  expect((await conversations.audio(other.question.id)).wav.length).toBe(44 + 32000);
  expect(events.at(-1)).toEqual({ event: 'conversation.deleted', id: conversation.id });
  await expect(conversations.audio(question.id)).rejects.toMatchObject({ code: 'turn-missing' });
  expect(readdirSync(join(folder, 'audio', question.audio?.sha256.slice(0, 2) ?? ''))).toEqual([]);
  await store.close();
});

test('what Whisper hears is kept, asked for once, and makes a better title than the answer did', async () => {
  const { conversations, store, engine } = await openConversations(temporaryFolder());
  const { conversation, question, answer } = await conversations.askAudio({
    conversationId: null,
    samples: sound,
  });
  await conversations.finished(answer.id);
  expect((await conversations.open(conversation.id)).conversation.title).toBe('I heard some sound');
  engine.heardAs = ' How hot is tea? ';
  const [one, two] = await Promise.all([
    conversations.heardAs(question.id),
    conversations.heardAs(question.id),
  ]);
  expect(one).toMatchObject({ heardAs: 'How hot is tea?' });
  expect(two).toEqual(one);
  expect(await conversations.heardAs(question.id)).toEqual(one);
  expect(engine.transcriptions.length).toBe(1);
  expect((await conversations.open(conversation.id)).conversation.title).toBe('How hot is tea?');
  await expect(conversations.heardAs(answer.id)).rejects.toMatchObject({ code: 'invalid-request' });
  await store.close();
});

test('a title that a person gave stays', async () => {
  const { conversations, store, engine } = await openConversations(temporaryFolder());
  const paused = engine.pauseBefore(1);
  const { conversation, question, answer } = await conversations.askAudio({
    conversationId: null,
    samples: sound,
  });
  await paused;
  await conversations.rename(conversation.id, 'Mine');
  engine.resume();
  await conversations.finished(answer.id);
  engine.heardAs = 'other words';
  await conversations.heardAs(question.id);
  expect((await conversations.open(conversation.id)).conversation.title).toBe('Mine');
  await store.close();
});

test('a conversation as Markdown holds every turn, and its file name is one on any system', async () => {
  const { conversations, store } = await openConversations(temporaryFolder());
  const asked = await conversations.askText({ conversationId: null, text: 'Is 1/2 < 3? *yes*' });
  await conversations.finished(asked.answer.id);
  const spoken = await conversations.askAudio({ conversationId: asked.conversation.id, samples: sound });
  await conversations.finished(spoken.answer.id);
  const { name, markdown } = await conversations.exportMarkdown(asked.conversation.id);
  expect(name).toBe('Is 12  3.md');
  expect(markdown).toContain('## You\n\nIs 1/2 < 3? *yes*');
  expect(markdown).toContain('## Parlance\n\nYou said: Is 1/2 < 3? *yes*');
  expect(markdown).toContain('## You\n\n*(spoken, 1.0 s)*');
  await store.close();
});
