import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore } from '../../src-main/store/local-store.ts';
import { migrations } from '../../src-main/store/migrations/index.ts';
import { addManyTurns, searches } from '../fixtures/store/many-turns.ts';

/** `node tests/bench/search.ts [TURNS]`: how long a page of a search, of the list and of a long conversation takes. */
const turns = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), 'parlance-search-'));
const store = createLocalStore({ folder, migrations, busyTimeoutMs: 1000 });

async function time(name: string, work: () => Promise<unknown>): Promise<void> {
  const runs: number[] = [];
  for (let run = 0; run < 11; run += 1) {
    const began = performance.now();
    await work();
    runs.push(performance.now() - began);
  }
  const [fastest = 0, , , , , median = 0] = runs.toSorted((a, b) => a - b);
  process.stdout.write(
    `${name.padEnd(36)} median ${median.toFixed(1)} ms, fastest ${fastest.toFixed(1)} ms\n`,
  );
}

try {
  await addManyTurns(store, turns, 10);
  for (const words of searches) await time(`search "${words}"`, () => store.search({ words, limit: 20 }));
  await time('search "everywhere", pinned, a day', () =>
    store.search({ words: 'everywhere', pinned: true, from: 0, to: 86_400_000, limit: 20 }),
  );
  await time('first page of the list', () => store.conversationPage({ limit: 50 }));
} finally {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}
