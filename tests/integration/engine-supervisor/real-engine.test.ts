import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { type AnswerRequest, samplingSchema } from '../../../src-main/contract/index.ts';
import { forkEngine } from '../../../src-main/engine/process/forked-engine.ts';
import { EngineSupervisor } from '../../../src-main/engine/process/supervisor.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const entry = fileURLToPath(new URL('../../../src-main/app/engine-process.ts', import.meta.url));
const never = new AbortController().signal;

function realEngine(): {
  engine: EngineSupervisor;
  ask(text: string, maxTokens: number): AnswerRequest;
} | null {
  const bundle = process.env.PARLANCE_TEST_BUNDLE;
  if (bundle === undefined) {
    console.log('not tested: PARLANCE_TEST_BUNDLE names no bundle; `npm test` builds one');
    return null;
  }
  const cache = temporaryFolder();
  const engine = new EngineSupervisor({
    start: () => forkEngine(entry, [cache]),
    chooseProvider: async () => 'cpu',
  });
  onTestFinished(() => engine.shutdown());
  const ask = (text: string, maxTokens: number): AnswerRequest => ({
    conversationId: 'c1',
    engine: 'cascade',
    bundle,
    device: 'auto',
    turns: [{ type: 'text', role: 'user', text }],
    sampling: samplingSchema.parse({ maxTokens }),
  });
  return { engine, ask };
}

it('the real engine, killed with -9 in mid-answer: the question fails, the next one is answered', async () => {
  const real = realEngine();
  if (real === null) return;
  const { engine, ask } = real;
  const pids = new Set<number>();
  const answer = engine.answer(
    ask('Tell me a long story about a ship.', 400),
    {
      token: () => {
        if (engine.pid !== null && !pids.has(engine.pid)) process.kill(engine.pid, 'SIGKILL');
        if (engine.pid !== null) pids.add(engine.pid);
      },
    },
    never,
  );
  await expect(answer).rejects.toMatchObject({ code: 'engine-stopped' });
  const result = await engine.answer(ask('What is the capital of France?', 12), { token: () => {} }, never);
  expect(result.text.length).toBeGreaterThan(0);
  expect(result.provider).toBe('cpu');
  expect(engine.status()).toMatchObject({ state: 'ready', restarts: 1 });
  expect(engine.status().tokensPerSecond).toBeGreaterThan(0);
});

it('the real engine, stopped: ends within a token or two of where it was, with what it had', async () => {
  const real = realEngine();
  if (real === null) return;
  const { engine, ask } = real;
  const controller = new AbortController();
  const pieces: string[] = [];
  const result = await engine.answer(
    ask('Count from one to one hundred.', 400),
    {
      token(text) {
        pieces.push(text);
        if (pieces.length === 3) controller.abort();
      },
    },
    controller.signal,
  );
  expect(result.finish).toBe('cancelled');
  expect(result.text).toBe(pieces.join(''));
  // A token may be on its way when the stop is sent.
  expect(result.usage.completionTokens).toBeLessThan(12);
});

it('a bundle can be loaded ahead of its first question', async () => {
  const real = realEngine();
  if (real === null) return;
  const { engine, ask } = real;
  const { bundle, device } = ask('', 1);
  await expect(engine.load({ bundle, device, engine: 'cascade' }, never)).resolves.toBe('cpu');
  expect(engine.status()).toMatchObject({ state: 'ready', bundle, provider: 'cpu', tokensPerSecond: null });
});

it('a bundle that is not there is refused with its own code, and the engine goes on', async () => {
  const real = realEngine();
  if (real === null) return;
  const { engine, ask } = real;
  const missing = { ...ask('Hello', 4), bundle: `${temporaryFolder()}/none` };
  await expect(engine.answer(missing, { token: () => {} }, never)).rejects.toMatchObject({
    code: expect.stringMatching(/^bundle-/),
  });
  await expect(engine.answer(ask('Hello', 4), { token: () => {} }, never)).resolves.toMatchObject({
    finish: expect.any(String),
  });
  expect(engine.status().restarts).toBe(0);
});
