import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type {
  AnswerRequest,
  DevicePreference,
  EngineStatus,
  Provider,
} from '../../../src-main/contract/index.ts';
import { samplingSchema } from '../../../src-main/contract/index.ts';
import type { EngineProcess } from '../../../src-main/engine/process/engine-process-port.ts';
import { forkEngine } from '../../../src-main/engine/process/forked-engine.ts';
import { EngineSupervisor } from '../../../src-main/engine/process/supervisor.ts';
import type { SupervisorOptions } from '../../../src-main/engine/process/supervisor-options.ts';

const scripted = fileURLToPath(new URL('../../fixtures/engine-process/scripted-engine.ts', import.meta.url));
const appWithEngine = fileURLToPath(
  new URL('../../fixtures/engine-process/app-with-engine.ts', import.meta.url),
);
const never = new AbortController().signal;
const supervisors: EngineSupervisor[] = [];
const started: EngineProcess[] = [];

function supervise(behaviour: string, options: Partial<SupervisorOptions> = {}): EngineSupervisor {
  const supervisor = new EngineSupervisor({
    start: () => {
      const child = forkEngine(scripted, [behaviour]);
      started.push(child);
      return child;
    },
    chooseProvider: async () => 'cpu',
    backoff: { firstMs: 20, longestMs: 100, patience: 3 },
    ...options,
  });
  supervisors.push(supervisor);
  return supervisor;
}

function question(text: string, device: DevicePreference = 'auto'): AnswerRequest {
  return {
    conversationId: 'c1',
    engine: 'speech-llm',
    bundle: '/bundle',
    device,
    turns: [{ type: 'text', role: 'user', text }],
    sampling: samplingSchema.parse({}),
  };
}

function ask(supervisor: EngineSupervisor, text: string, device: DevicePreference = 'auto', signal = never) {
  return supervisor.answer(question(text, device), { token: () => {} }, signal);
}

/** Resolves with the first token of a question that the scripted engine holds open. */
function askAndHold(supervisor: EngineSupervisor, signal = never) {
  const { promise: firstToken, resolve } = Promise.withResolvers<string>();
  const end = supervisor.answer(question('wait'), { token: resolve }, signal);
  return { firstToken, end };
}

function statusWhere(supervisor: EngineSupervisor, wanted: (status: EngineStatus) => boolean) {
  return new Promise<EngineStatus>((resolve) => {
    if (wanted(supervisor.status())) resolve(supervisor.status());
    const stop = supervisor.onStatus((status) => {
      if (!wanted(status)) return;
      stop();
      resolve(status);
    });
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

afterEach(async () => {
  await Promise.all(supervisors.splice(0).map((supervisor) => supervisor.shutdown()));
  for (const child of started.splice(0)) child.kill();
});

describe('the engine process', () => {
  it('starts at the first question, streams, and reports what it measured', async () => {
    const supervisor = supervise('answers');
    expect(supervisor.status()).toMatchObject({ state: 'stopped', tokensPerSecond: null });
    const tokens: string[] = [];
    const result = await supervisor.answer(question('hello'), { token: (text) => tokens.push(text) }, never);
    expect(result).toMatchObject({ text: 'hello', provider: 'cpu', finish: 'stop' });
    expect(tokens).toEqual(['hello']);
    expect(supervisor.status()).toMatchObject({
      state: 'ready',
      provider: 'cpu',
      bundle: '/bundle',
      restarts: 0,
      tokensPerSecond: 34,
      firstTokenMs: 12,
    });
  });

  it('reports the memory of the process', async () => {
    const supervisor = supervise('answers', { heartbeat: { everyMs: 20, misses: 500 } });
    await ask(supervisor, 'hello');
    const status = await statusWhere(supervisor, ({ memoryBytes }) => memoryBytes !== null);
    expect(status.memoryBytes).toBeGreaterThan(10_000_000);
  });

  it('killed in mid-answer: the question fails with engine-stopped, the next one is answered', async () => {
    const supervisor = supervise('answers');
    const { firstToken, end } = askAndHold(supervisor);
    await firstToken;
    process.kill(supervisor.pid ?? 0, 'SIGKILL');
    await expect(end).rejects.toMatchObject({
      code: 'engine-stopped',
      message: 'The engine stopped and is running again.',
    });
    const status = await statusWhere(supervisor, ({ state }) => state === 'ready');
    expect(status.restarts).toBe(1);
    await expect(ask(supervisor, 'again')).resolves.toMatchObject({ text: 'again' });
  });

  it('a question that waits its turn outlives a crash of the one before it', async () => {
    const supervisor = supervise('answers');
    const held = askAndHold(supervisor);
    const second = ask(supervisor, 'second');
    await held.firstToken;
    process.kill(supervisor.pid ?? 0, 'SIGKILL');
    await expect(held.end).rejects.toMatchObject({ code: 'engine-stopped' });
    await expect(second).resolves.toMatchObject({ text: 'second' });
  });

  it('hangs: it is killed after the missed beats, and the question says so', async () => {
    const supervisor = supervise('hangs', { heartbeat: { everyMs: 50, misses: 20 } });
    await expect(ask(supervisor, 'hello')).rejects.toMatchObject({ code: 'engine-stopped' });
    expect(supervisor.status().restarts).toBeLessThanOrEqual(1);
  });

  it('dies at every start: gives up after its patience, with its last words', async () => {
    const supervisor = supervise('dies-at-start');
    await expect(ask(supervisor, 'hello')).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/stopped 3 times in a row.*exit code 3: no such library/s),
    });
    expect(supervisor.status()).toMatchObject({ state: 'crashed', restarts: 2 });
  });

  it('waits longer before each start of a crash loop', async () => {
    const starts: number[] = [];
    const supervisor = supervise('', {
      start: () => {
        starts.push(performance.now());
        return forkEngine(scripted, ['dies-at-start']);
      },
      backoff: { firstMs: 200, longestMs: 1000, patience: 4 },
    });
    const ends: number[] = [];
    supervisor.onStatus(({ state }) => {
      if (state === 'crashed') ends.push(performance.now());
    });
    await expect(ask(supervisor, 'hello')).rejects.toMatchObject({ code: 'engine-failed' });
    const waits = starts.slice(1).map((start, index) => start - (ends[index] ?? 0));
    expect(waits).toHaveLength(3);
    expect(waits[1]).toBeGreaterThanOrEqual(199);
    expect(waits[2]).toBeGreaterThanOrEqual(399);
  });

  it('crashes twice on a GPU: the third question runs on the CPU, and the status says why', async () => {
    const supervisor = supervise('dies-on-gpu', { chooseProvider: async () => 'webgpu' });
    await expect(ask(supervisor, 'one')).rejects.toMatchObject({ code: 'engine-stopped' });
    await expect(ask(supervisor, 'two')).rejects.toMatchObject({ code: 'engine-stopped' });
    await expect(ask(supervisor, 'three')).resolves.toMatchObject({ provider: 'cpu' });
    expect(supervisor.status().notice).toBe(
      'Answers run on the CPU: webgpu stopped the engine 2 times in a row.',
    );
  });

  it('loses its device before the first word: the same question is answered on the CPU', async () => {
    const supervisor = supervise('loses-gpu', { chooseProvider: async () => 'webgpu' });
    await expect(ask(supervisor, 'hello')).resolves.toMatchObject({ text: 'hello', provider: 'cpu' });
    expect(supervisor.status().notice).toContain('webgpu was lost (the adapter was removed)');
  });

  it('a device asked for by name is not replaced in silence', async () => {
    const supervisor = supervise('loses-gpu');
    await expect(ask(supervisor, 'hello', 'webgpu')).rejects.toMatchObject({ code: 'device-unavailable' });
  });

  it('sends what cannot be understood: it is ended, and the reason is logged', async () => {
    const events: unknown[] = [];
    const supervisor = supervise('babbles', { log: (event) => events.push(event) });
    await expect(ask(supervisor, 'hello')).rejects.toMatchObject({ code: 'engine-stopped' });
    expect(events).toContainEqual(
      expect.objectContaining({ how: expect.stringContaining('could not be understood') }),
    );
  });
});

describe('stopping', () => {
  it('ends a running answer with what it has', async () => {
    const supervisor = supervise('answers');
    const controller = new AbortController();
    const { firstToken, end } = askAndHold(supervisor, controller.signal);
    await firstToken;
    controller.abort();
    await expect(end).resolves.toMatchObject({ text: 'wait', finish: 'cancelled' });
  });

  it('ends an engine that does not stop, and the next question is answered by a new one', async () => {
    const supervisor = supervise('hangs', { cancelLimitMs: 100 });
    const controller = new AbortController();
    const answer = ask(supervisor, 'hello', 'auto', controller.signal);
    await statusWhere(supervisor, ({ state }) => state === 'busy');
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: 'engine-stopped' });
    await statusWhere(supervisor, ({ state, restarts }) => state === 'ready' && restarts === 1);
  });

  it('takes a waiting question out of the queue at once', async () => {
    const supervisor = supervise('answers');
    const first = new AbortController();
    const second = new AbortController();
    const held = askAndHold(supervisor, first.signal);
    await held.firstToken;
    const waiting = ask(supervisor, 'second', 'auto', second.signal);
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    first.abort();
    await expect(held.end).resolves.toMatchObject({ finish: 'cancelled' });
  });

  it('answers one question at a time, in the order they came', async () => {
    const supervisor = supervise('answers');
    const order: string[] = [];
    const words = ['one', 'two', 'three'];
    await Promise.all(words.map((word) => ask(supervisor, word).then(({ text }) => order.push(text))));
    expect(order).toEqual(words);
  });

  it('shuts down in order: running answers keep what they have, the process is gone', async () => {
    const supervisor = supervise('answers');
    const { firstToken, end } = askAndHold(supervisor);
    const waiting = ask(supervisor, 'second');
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await firstToken;
    const pid = supervisor.pid ?? 0;
    await supervisor.shutdown();
    await expect(end).resolves.toMatchObject({ finish: 'cancelled' });
    await outcome;
    expect(isRunning(pid)).toBe(false);
    expect(supervisor.status().state).toBe('stopped');
  });

  it('leaves no orphan when the app is killed', async () => {
    const parent = spawn(process.execPath, [appWithEngine], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = (await once(parent.stdout, 'data')).map(Number);
    expect(isRunning(pid ?? 0)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isRunning(pid ?? 0), { timeout: 10_000 }).toBe(false);
  });
});

it('every provider but the CPU can be given up', async () => {
  const providers: Provider[] = ['cuda', 'dml', 'coreml', 'webgpu'];
  for (const provider of providers) {
    const supervisor = supervise('loses-gpu', { chooseProvider: async () => provider });
    await expect(ask(supervisor, 'hello')).resolves.toMatchObject({ provider: 'cpu' });
  }
});
