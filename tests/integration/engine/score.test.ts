import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ScoreRequest } from '../../../src-main/contract/index.ts';
import { createEngine, type Engine } from '../../../src-main/engine/engine.ts';
import { typed } from '../../fixtures/engine/engine-kit.ts';
import { buildTinyBundle } from '../../fixtures/engine/tiny-bundle.ts';

// A language model of two layers with random weights, whose tokens are bytes.
let folder: string;
let engine: Engine;
let request: ScoreRequest;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-score-'));
  const bundle = await buildTinyBundle(folder);
  engine = createEngine({ cacheFolder: join(folder, 'cache') });
  const turns = [typed('hello')];
  request = { bundle, engine: 'cascade', device: 'cpu', turns, answer: 'ab', written: null };
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

const never = new AbortController().signal;

it('gives each token its probability behind all before it', async () => {
  const { logProbabilities, divergences } = await engine.score({ ...request, answer: 'abc' }, never);
  expect(logProbabilities).toHaveLength(3);
  expect(divergences).toBeNull();
  const [a, b] = (await engine.score({ ...request, answer: 'abd' }, never)).logProbabilities;
  expect([a, b]).toEqual(logProbabilities.slice(0, 2));
  const other = await engine.score({ ...request, turns: [typed('Hello?')] }, never);
  expect(other.logProbabilities[0]).not.toBe(a);
});

it('shares one probability among all tokens', async () => {
  let all = 0;
  for (let code = 33; code < 127; code += 1) {
    const { logProbabilities } = await engine.score({ ...request, answer: String.fromCharCode(code) }, never);
    all += Math.exp(logProbabilities[0] ?? 0);
  }
  expect(all).toBeGreaterThan(0.05);
  expect(all).toBeLessThan(1);
});

it('measures how far the expectations are from those behind the same words', async () => {
  const same = await engine.score({ ...request, written: request.turns }, never);
  expect(same.divergences).toEqual([0, 0]);
  const other = await engine.score({ ...request, written: [typed('Something else.')] }, never);
  expect(other.divergences).toHaveLength(2);
  for (const divergence of other.divergences ?? []) expect(divergence).toBeGreaterThan(0);
});

it('ends as cancelled when it is stopped, and refuses an answer that does not fit', async () => {
  await expect(engine.score(request, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  const answer = 'x'.repeat(600);
  await expect(engine.score({ ...request, answer }, never)).rejects.toMatchObject({ code: 'text-too-long' });
});
