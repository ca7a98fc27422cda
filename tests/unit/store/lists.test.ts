import { expect, test } from 'vitest';
import type { MarkedText } from '../../../src-main/contract/index.ts';
import { createLocalStore } from '../../../src-main/store/local-store.ts';
import { migrations } from '../../../src-main/store/migrations/index.ts';
import { passageOf } from '../../../src-main/store/passages.ts';
import { answerTo, spokenQuestion, typedQuestion } from '../../fixtures/store/turns.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const open = () => createLocalStore({ folder: temporaryFolder(), migrations, busyTimeoutMs: 1000 });
const clip = { sha256: 'a'.repeat(64), seconds: 1, bars: [0.5] };

/** The text with its marked ranges in brackets. */
const shown = ({ text, marks }: MarkedText) =>
  marks.reduceRight(
    (out, [from, to]) => `${out.slice(0, from)}[${out.slice(from, to)}]${out.slice(to)}`,
    text,
  );

test('hits are marked where they stand: in titles, in what was said and in what was heard', async () => {
  const store = open();
  const { id } = await store.createConversation('Café in Zürich');
  const question = typedQuestion(id, 'Where is the CAFÉ, the nice one?');
  await store.addTurns([
    question,
    answerTo(question, { text: `${'far away '.repeat(40)}a café <b>there</b>` }),
  ]);
  await store.addTurn({ ...spokenQuestion(id, clip), heardAs: 'my café' });
  const { hits } = await store.search({ words: 'cafe', limit: 9 });
  expect(hits.length).toBe(1);
  expect(hits[0] && shown(hits[0].title)).toBe('[Café] in Zürich');
  const passages = hits[0]?.passages.map(({ role, source, passage }) => [role, source, shown(passage)]) ?? [];
  expect(passages[0]).toEqual(['user', 'heard', 'my [café]']);
  expect(passages[1]?.[2]).toMatch(/^…(far |away )+a \[café\] <b>there<\/b>$/);
  expect(passages[2]).toEqual(['user', 'text', 'Where is the [CAFÉ], the nice one?']);
  await store.close();
});

test('marks follow the index: parts of words from their beginning, phrases, scripts without spaces, emoji', () => {
  const marked = (text: string, words: string) => {
    const passage = passageOf(text, words);
    return passage && shown(passage);
  };
  expect(marked('The weather, whether or not', 'weath')).toBe('The [weather], whether or not');
  expect(marked('well-known and well done', 'well-kn')).toBe('[well-known] and well done');
  expect(marked('今日の天気は晴れ', '天気')).toBe('今日の[天気]は晴れ');
  expect(marked('👍🏽 yes 𝒙 yes', 'yes')).toBe('👍🏽 [yes] 𝒙 [yes]');
  expect(marked('x'.repeat(500), 'x')).toBe(`[${'x'.repeat(500)}]`);
  expect(marked('nothing', 'else')).toBeNull();
  expect(marked('a\nb', 'b')).toBe('a [b]');
});

test('pages go on where the last one ended, whatever is filtered, and hold every conversation once', async () => {
  const store = open();
  const ids: string[] = [];
  for (let place = 0; place < 25; place += 1) {
    const { id } = await store.createConversation(`tea ${place}`);
    ids.push(id);
    await store.addTurn(place % 5 === 0 ? spokenQuestion(id, clip) : typedQuestion(id, 'green tea'));
    if (place % 10 === 3) await store.pinConversation(id, true);
  }
  const collect = async (query: object) => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.conversationPage({ ...query, limit: 4, ...(cursor && { cursor }) });
      seen.push(...page.conversations.map(({ id }) => id));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return seen;
  };
  const everything = await collect({});
  expect(everything.length).toBe(25);
  expect(new Set(everything)).toEqual(new Set(ids));
  expect(everything).toEqual((await store.conversations({ limit: 100 })).map(({ id }) => id));
  expect((await collect({ kind: 'spoken' })).length).toBe(5);
  expect((await collect({ kind: 'typed' })).length).toBe(20);
  expect((await collect({ pinned: true })).length).toBe(3);
  expect(await collect({ to: Date.now() - 86_400_000 })).toEqual([]);
  expect((await collect({ from: Date.now() - 86_400_000, to: Date.now() })).length).toBe(25);
  const first = await store.search({ words: 'green', kind: 'typed', limit: 15 });
  const second = await store.search({ words: 'green', kind: 'typed', limit: 15, cursor: first.next ?? '' });
  const found = [...first.hits, ...second.hits].map(({ conversation }) => conversation.id);
  expect([found.length, new Set(found).size, second.next]).toEqual([20, 20, null]);
  await store.close();
});
