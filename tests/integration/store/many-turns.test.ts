import { expect, test } from 'vitest';
import { turnPage } from '../../../src-main/conversation/turn-page.ts';
import { createLocalStore } from '../../../src-main/store/local-store.ts';
import { migrations } from '../../../src-main/store/migrations/index.ts';
import { addManyTurns, searches } from '../../fixtures/store/many-turns.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

/** Five times what is promised, of processor time: a busy machine is no fault of the search. */
const limitMs = 100;

test('among 100 000 turns every search has its first page at once', async () => {
  const store = createLocalStore({ folder: temporaryFolder(), migrations, busyTimeoutMs: 1000 });
  await addManyTurns(store, 100_000, 10);
  for (const words of searches) {
    await store.search({ words, limit: 20 });
    const before = process.cpuUsage();
    const { hits } = await store.search({ words, limit: 20 });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000, words).toBeLessThan(limitMs);
    expect(hits.length, words).toBe(words === 'zzz' ? 0 : words === 'needle' ? 10 : 20);
  }
  await store.close();
}, 600_000);

test('a conversation of 10 000 turns is read from its end, a page at a time, every turn once', async () => {
  const store = createLocalStore({ folder: temporaryFolder(), migrations, busyTimeoutMs: 1000 });
  await addManyTurns(store, 10_000, 10_000);
  const [conversation] = (await store.conversationPage({ limit: 1 })).conversations;
  const conversationId = conversation?.id ?? '';
  const whole = await store.turns(conversationId);
  const last = await turnPage(store, { conversationId, limit: 300 });
  expect(last).toEqual({ turns: whole.slice(-300), versions: {}, earlier: true });
  const before = last.turns[0]?.id;
  expect((await turnPage(store, { conversationId, before, limit: 500 })).turns).toEqual(
    whole.slice(-800, -300),
  );
  const first = await turnPage(store, { conversationId, before: whole[120]?.id, limit: 500 });
  expect(first).toEqual({ turns: whole.slice(0, 120), versions: {}, earlier: false });
  await store.close();
}, 300_000);
