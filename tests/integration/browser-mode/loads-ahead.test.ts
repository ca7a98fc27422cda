import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import type { EngineStatus } from '../../../src-main/contract/index.ts';
import { ContractClient } from '../../e2e/contract-client.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../src-main/app/browser-mode.ts', import.meta.url));
const bundle = process.env.PARLANCE_TEST_BUNDLE ?? '';
if (bundle === '') console.warn('Loading ahead is not tested: PARLANCE_TEST_BUNDLE names no bundle.');

async function startApp(home: string): Promise<string> {
  const child = spawn(process.execPath, [program, '--no-open'], {
    env: { ...process.env, PARLANCE_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGTERM'));
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /^Parlance: (\S+)$/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error('no address was printed');
}

it.runIf(bundle !== '')('with a bundle, the engine is ready before anybody asks anything', async () => {
  const home = temporaryFolder();
  mkdirSync(join(home, 'models'));
  symlinkSync(bundle, join(home, 'models/parlance-mini'));
  const { promise: loaded, resolve } = Promise.withResolvers<EngineStatus>();
  const isLoaded = (status: EngineStatus) => status.state === 'ready' && status.provider !== null;
  const client = await ContractClient.connect(await startApp(home), (event) => {
    if (event.event === 'engine.status' && isLoaded(event.status)) resolve(event.status);
  });
  const { engine } = await client.call('app.info', {});
  if (isLoaded(engine)) resolve(engine);
  expect(await loaded).toMatchObject({
    state: 'ready',
    provider: expect.any(String),
    bundle: join(home, 'models/parlance-mini'),
    firstTokenMs: null,
  });
});
