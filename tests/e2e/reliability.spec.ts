import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { samplePath } from './chromium.ts';
import { ContractClient } from './contract-client.ts';
import { answered, answerText, ask, exchange, expect, messageField, test } from './fixtures.ts';
import { Ledger } from './ledger.ts';
import { RunningApp } from './running-app.ts';

const wavHeaderBytes = 44;
const kills = 20;
const longestRunMs = 2500;

/** Mulberry32: the same moments every time, so that a failure can be looked at again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

test('the engine killed in the middle of an answer: the app says so, goes on, and asks again', async ({
  page,
  app,
}) => {
  await ask(page, 'Write a long story about a river and the people who live beside it.');
  await expect(answerText(page, 1)).not.toBeEmpty();
  const [engine] = app.enginePids();
  if (engine === undefined) throw new Error('An answer is being written, and there is no engine process.');
  process.kill(engine, 'SIGKILL');

  await expect(
    page.getByRole('status').filter({ hasText: 'The engine stopped and is running again.' }),
  ).toBeVisible();
  await expect(exchange(page, 1)).toHaveAttribute('aria-busy', 'false');
  await expect(answerText(page, 1)).not.toBeEmpty();
  await expect(page.getByRole('contentinfo', { name: 'Engine status' })).toContainText('Restarted once');

  await page.getByRole('button', { name: 'Ask again' }).click();
  await expect(exchange(page, 1).getByText('2 / 2')).toBeVisible();
  await expect(answerText(page, 1)).not.toBeEmpty();
  await page.getByRole('button', { name: 'Stop the answer' }).click();
  await messageField(page).fill('Thank you.');
  await page.keyboard.press('Enter');
  await answered(page, 2);
});

test(`${kills} times killed at random moments, the app loses no finished turn and no recorded sound`, async ({
  home,
}) => {
  test.setTimeout(600_000);
  const random = randomFrom(20);
  const ledger = new Ledger();
  const speech = readFileSync(samplePath('question-days-in-a-week.wav')).subarray(wavHeaderBytes);
  for (let kill = 1; kill <= kills; kill += 1) {
    const app = await RunningApp.start(home);
    const client = await ContractClient.connect(app.address, ledger.receive);
    await ledger.expectNothingLost(client);
    const using = ledger.use(client, speech);
    await delay(random() * longestRunMs);
    await app.kill();
    await using;
  }
  expect(ledger.size).toBeGreaterThan(kills);
  const app = await RunningApp.start(home);
  const client = await ContractClient.connect(app.address, ledger.receive);
  await ledger.expectNothingLost(client);
  client.close();
  await app.stop();
});
