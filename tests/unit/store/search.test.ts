import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { searchStatement } from '../../../src-main/store/conversations-table.ts';
import { createLocalStore } from '../../../src-main/store/local-store.ts';
import { migrations } from '../../../src-main/store/migrations/index.ts';
import type { Store } from '../../../src-main/store/protocol.ts';
import { matchQuery } from '../../../src-main/store/search-words.ts';
import { answerTo, typedQuestion } from '../../fixtures/store/turns.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const open = (folder: string): Store => createLocalStore({ folder, migrations, busyTimeoutMs: 1000 });

async function conversationWith(store: Store, title: string, texts: string[]): Promise<string> {
  const { id } = await store.createConversation(title);
  await store.addTurns(texts.map((text) => typedQuestion(id, text)));
  return id;
}

async function found(store: Store, search: string): Promise<string[]> {
  return (await store.conversations({ search, limit: 100 })).map(({ title }) => title).sort();
}

describe('words are found', () => {
  test('in titles and in turns, whatever their case and accents, from their first letters on', async () => {
    const store = open(temporaryFolder());
    await conversationWith(store, 'Café in Zürich', ['Where is it?']);
    await conversationWith(store, 'Other', ['The WEATHER in Tromsø', 'and the café there']);
    expect(await found(store, 'cafe')).toEqual(['Café in Zürich', 'Other']);
    expect(await found(store, 'zurich')).toEqual(['Café in Zürich']);
    expect(await found(store, 'weath trom')).toEqual(['Other']);
    expect(await found(store, 'weather zurich')).toEqual([]);
    await store.close();
  });

  test('inside sentences of scripts that put no space between words', async () => {
    const store = open(temporaryFolder());
    await conversationWith(store, 'ja', ['今日の天気は晴れです']);
    await conversationWith(store, 'zh', ['明天天氣怎麼樣']);
    await conversationWith(store, 'ar', ['كيف حال الطقس اليوم']);
    expect(await found(store, '天気')).toEqual(['ja']);
    expect(await found(store, '天')).toEqual(['ja', 'zh']);
    expect(await found(store, 'الطقس')).toEqual(['ar']);
    await store.close();
  });

  test('in what was heard and in what was answered, once the answer has ended', async () => {
    const store = open(temporaryFolder());
    const { id } = await store.createConversation('Tea');
    const question = typedQuestion(id, '');
    const answer = answerTo(question, { status: 'streaming' });
    await store.addTurns([question, answer]);
    await store.updateTurn(question.id, { heardAs: 'which oolong' });
    await store.updateTurn(answer.id, { text: 'Dong Ding' });
    expect(await found(store, 'oolong')).toEqual(['Tea']);
    expect(await found(store, 'ding')).toEqual([]);
    await store.updateTurn(answer.id, { status: 'complete' });
    expect(await found(store, 'ding')).toEqual(['Tea']);
    await store.updateTurn(answer.id, { text: 'Baozhong' });
    expect(await found(store, 'ding')).toEqual([]);
    await store.renameConversation(id, 'Leaves');
    expect(await found(store, 'tea')).toEqual([]);
    expect(await found(store, 'leaves')).toEqual(['Leaves']);
    await store.close();
  });

  test('signs and operators of the index are only text', async () => {
    const store = open(temporaryFolder());
    await conversationWith(store, 'c', ['it says "NEAR(a b)" OR nothing']);
    for (const search of ['"NEAR(a', 'b)" OR', 'NOT', '*', '^it', 'words:it', '-', "'", '"', 'a AND', '(']) {
      await expect(found(store, search)).resolves.toBeInstanceOf(Array);
    }
    expect(await found(store, '"near(a')).toEqual(['c']);
    expect(await found(store, '!?')).toEqual([]);
    expect(await found(store, '   ')).toEqual(['c']);
    await store.close();
  });
});

test('among 20 000 turns the right conversations are found, by the index and without reading the turns', async () => {
  const folder = temporaryFolder();
  const store = open(folder);
  const common = ['alpha', 'beta', 'gamma', 'delta'];
  for (let place = 0; place < 200; place += 1) {
    const words = (turn: number) =>
      `${common[turn % 4]} everywhere number${turn}${turn === 50 && place % 20 === 7 ? ' needle' : ''}`;
    await conversationWith(
      store,
      `conversation ${place}`,
      Array.from({ length: 100 }, (_, turn) => words(turn)),
    );
  }
  expect((await found(store, 'needle')).length).toBe(10);
  expect(await found(store, 'needle beta')).toEqual([]);
  expect((await found(store, 'needle gamma')).length).toBe(10);
  expect((await store.conversations({ search: 'everywhere', limit: 200 })).length).toBe(200);
  expect((await store.conversations({ search: 'everyw', limit: 7 })).length).toBe(7);
  await store.close();

  const database = new Sqlite(join(folder, 'parlance.db'));
  const plan = database
    .prepare(`EXPLAIN QUERY PLAN ${searchStatement}`)
    .all({ query: matchQuery('needle'), limit: 20 })
    .map((row) => (row as { detail: string }).detail);
  expect(plan.filter((step) => /turn_search VIRTUAL TABLE INDEX/.test(step)).length).toBe(1);
  expect(plan.filter((step) => /title_search VIRTUAL TABLE INDEX/.test(step)).length).toBe(1);
  expect(plan.filter((step) => /(SCAN|SEARCH) turns\b/.test(step))).toEqual([]);
  database.close();
});
