import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pack, unpack } from 'msgpackr';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { requests } from '../../../src-main/contract/index.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../src-main/app/browser-mode.ts', import.meta.url));

/** Starts browser mode and waits for the line with its address. */
async function start(home: string, ...parameters: string[]): Promise<{ child: ChildProcess; address: URL }> {
  const child = spawn(process.execPath, [program, '--no-open', ...parameters], {
    env: { ...process.env, PARLANCE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /^Parlance: (\S+)$/.exec(line)?.[1];
    if (address !== undefined) return { child, address: new URL(address) };
  }
  throw new Error(`no address was printed: ${complaint}`);
}

/** Pays the address with its token; the cookie, or null when it is not taken. */
async function open(address: URL): Promise<string | null> {
  const reply = await fetch(address, { redirect: 'manual' });
  return reply.status === 303 ? (reply.headers.get('set-cookie')?.split(';')[0] ?? null) : null;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

describe('browser mode', () => {
  it('prints its address, serves the screen, and answers the contract over its WebSocket', async () => {
    const { address } = await start(temporaryFolder());
    expect(address.hostname).toBe('127.0.0.1');
    const cookie = (await open(address)) ?? '';
    const page = await fetch(address.origin, { headers: { cookie } });
    expect(await page.text()).toContain('<title>Parlance</title>');
    const socket = new WebSocket(`ws://${address.host}/rpc`, { headers: { cookie, origin: address.origin } });
    await once(socket, 'open');
    socket.send(pack({ id: 1, method: 'app.info', input: {} }));
    const [data] = await once(socket, 'message');
    const { output } = unpack(data as Buffer);
    expect(requests['app.info'].output.parse(output)).toMatchObject({ mode: 'browser', bundle: null });
    socket.close();
  });

  it('started twice prints the running one’s address with a fresh token, and ends', async () => {
    const home = temporaryFolder();
    const first = await start(home);
    expect(await open(first.address)).not.toBeNull();
    const second = await start(home);
    expect(await ended(second.child)).toBe(0);
    expect(second.address.origin).toBe(first.address.origin);
    expect(second.address.search).not.toBe(first.address.search);
    expect(await open(second.address)).not.toBeNull();
    expect(await open(second.address)).toBeNull();
    expect(first.child.exitCode).toBeNull();
  });

  it('runs once for each home', async () => {
    const [one, other] = [await start(temporaryFolder()), await start(temporaryFolder())];
    expect(one.address.port).not.toBe(other.address.port);
    const cookie = (await open(one.address)) ?? '';
    expect((await fetch(other.address.origin, { headers: { cookie } })).status).toBe(401);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('closes in order on %s', async (signal) => {
    const home = temporaryFolder();
    const { child, address } = await start(home);
    const cookie = (await open(address)) ?? '';
    const socket = new WebSocket(`ws://${address.host}/rpc`, { headers: { cookie, origin: address.origin } });
    await once(socket, 'open');
    child.kill(signal);
    const [code] = await once(socket, 'close');
    expect(code).toBe(1001);
    expect(await ended(child)).toBe(0);
    expect(existsSync(join(home, 'instance.json'))).toBe(false);
    expect(existsSync(join(home, 'parlance.db-wal'))).toBe(false);
    const [log = ''] = readdirSync(join(home, 'logs'));
    expect(readFileSync(join(home, 'logs', log), 'utf8')).toContain('"event":"closed"');
  });

  it('starts again after it was killed', async () => {
    const home = temporaryFolder();
    const killed = await start(home);
    killed.child.kill('SIGKILL');
    await ended(killed.child);
    const { child, address } = await start(home);
    expect(await open(address)).not.toBeNull();
    expect(child.exitCode).toBeNull();
  });

  it('takes the port that it is given, and says when it cannot', async () => {
    const { address } = await start(temporaryFolder());
    await expect(start(temporaryFolder(), '--port', address.port)).rejects.toThrow(
      `error: Port ${address.port}`,
    );
    await expect(start(temporaryFolder(), '--port', 'x')).rejects.toThrow('error: --port x is no port');
    await expect(start(temporaryFolder(), '--loud')).rejects.toThrow(/error: .*--loud/);
  });
});
