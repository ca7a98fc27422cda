import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { isAlive, type Owner, thisProcess } from '../../../src-main/platform/owner-process.ts';

const program = new URL('../../../src-main/platform/owner-process.ts', import.meta.url).href;

test('this process is alive, and is the same in all its threads', async () => {
  const own = await thisProcess();
  expect(await isAlive(own)).toBe(true);
  const code = `import(${JSON.stringify(program)}).then(async ({ thisProcess }) =>
    require('node:worker_threads').parentPort.postMessage(await thisProcess()))`;
  const [seen] = await once(new Worker(code, { eval: true }), 'message');
  expect(seen).toEqual(own);
});

test('another process is alive until it ends, whoever gets its number then', async () => {
  const code = `import(${JSON.stringify(program)}).then(async ({ thisProcess }) =>
    process.stdout.write(JSON.stringify(await thisProcess())));
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [printed] = await once(child.stdout, 'data');
  const owner = JSON.parse(String(printed)) as Owner;
  expect(await isAlive(owner)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await isAlive(owner)).toBe(false);
  expect(await isAlive({ pid: process.pid, started: owner.started })).toBe(false);
});
