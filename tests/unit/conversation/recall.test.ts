import { expect, test } from 'vitest';
import { openConversations } from '../../fixtures/conversations.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';

type Open = Awaited<ReturnType<typeof openConversations>>;

async function ask({ conversations }: Open, text: string, recall?: boolean) {
  const asked = await conversations.askText({ conversationId: null, text, recall });
  await conversations.finished(asked.answer.id);
  return asked;
}

const systemTexts = ({ engine }: Open) =>
  engine.requests
    .at(-1)
    ?.turns.flatMap((turn) => (turn.type === 'text' && turn.role === 'system' ? [turn.text] : []));

test('what was said about it earlier is read and named as its source, when a person asks for it', async () => {
  const folder = temporaryFolder();
  const open = await openConversations(folder);
  const { conversations, events } = open;
  const tea = await ask(open, 'My oolong is called Baozhong and I keep it in the blue tin');
  for (let place = 0; place < 12; place += 1) await ask(open, `what is the thing number ${place}`);

  await ask(open, 'what is my baozhong');
  expect(systemTexts(open)).toEqual([]);
  await conversations.trash.put([(await conversations.list({ limit: 1 }))[0]?.id ?? '']);

  const asked = await ask(open, 'What is the name of the BAOZHONG thing?', true);
  const sources = await conversations.sources(asked.answer.id);
  expect(sources.map(({ turnId }) => turnId).sort()).toEqual([tea.question.id, tea.answer.id].sort());
  expect(sources[0]).toMatchObject({ conversationId: tea.conversation.id, title: tea.conversation.title });
  expect(events).toContainEqual({ event: 'turn.sources', turnId: asked.answer.id, sources });
  const [system, recalled] = systemTexts(open) ?? [];
  expect(system).toBe('Be brief.');
  expect(recalled).toContain('blue tin');
  await open.store.close();

  // The sources are there after a restart, and go with what they name.
  const again = await openConversations(folder);
  expect(await again.conversations.sources(asked.answer.id)).toEqual(sources);
  await again.conversations.remove(tea.conversation.id);
  expect(await again.conversations.sources(asked.answer.id)).toEqual([]);
  // Where nothing was said about it, nothing is added.
  await ask(again, 'zymurgy', true);
  expect(systemTexts(again)).toEqual([]);
  await again.store.close();
});

test('a spoken question is looked up by what is heard in it', async () => {
  const open = await openConversations(temporaryFolder());
  const { conversations, engine } = open;
  const tea = await ask(open, 'My oolong is called Baozhong');
  engine.heardAs = 'the oolong';
  const asked = await conversations.askAudio({ conversationId: null, samples: tone(300, 1), recall: true });
  await conversations.finished(asked.answer.id);
  const found = await conversations.sources(asked.answer.id);
  expect(found.map(({ turnId }) => turnId)).toContain(tea.question.id);
  await open.store.close();
});

test('the budget of a conversation is what was measured, and says from which exchange on it fits', async () => {
  const open = await openConversations(temporaryFolder());
  const { conversations, store } = open;
  const first = await ask(open, 'one');
  const id = first.conversation.id;
  const answers = [first.answer.id];
  for (const text of ['two', 'three']) {
    const next = await conversations.askText({ conversationId: id, text });
    await conversations.finished(next.answer.id);
    answers.push(next.answer.id);
  }
  for (const [place, promptTokens] of [10, 22, 28].entries()) {
    const usage = { promptTokens, cachedTokens: 0, audioTokens: 0, completionTokens: 4 };
    await store.updateTurn(answers[place] ?? '', { usage, status: 'complete' });
  }
  const budget = await conversations.context(id);
  expect(budget).toMatchObject({ contextLength: 40, reserved: 10, used: 32 });
  expect(budget.exchanges.map(({ tokens, fits }) => [tokens, fits])).toEqual([
    [14, false],
    [12, true],
    [6, true],
  ]);
  // The prompt became smaller: what was left out is not known, and nothing is said of what lies before.
  const usage = { promptTokens: 12, cachedTokens: 0, audioTokens: 0, completionTokens: 4 };
  await store.updateTurn(answers[2] ?? '', { usage, status: 'complete' });
  expect((await conversations.context(id)).exchanges.map(({ tokens, fits }) => [tokens, fits])).toEqual([
    [14, null],
    [12, null],
    [null, null],
  ]);
  await store.close();
});
