import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockInstance, lockOrAddress, newInstanceKey } from '../../../src-main/app/instance.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const locker = fileURLToPath(new URL('../../fixtures/app/instance-locker.ts', import.meta.url));

/** A process that takes the lock, tells whether it got it, and goes on until it is ended. */
async function lockInProcess(folder: string) {
  const child = fork(locker, [folder]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [locked] = await once(child, 'message');
  return { child, locked: locked as boolean };
}

/** A server that answers as a running instance does, and what it was asked with. */
async function answering(address: string) {
  const keys: Array<string | undefined> = [];
  const server = createServer((request, reply) => {
    keys.push(request.headers.authorization);
    reply.end(JSON.stringify({ address }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, keys };
}

describe('the lock of a home', () => {
  it('belongs to one living process, and to the next when that one is killed', async () => {
    const folder = temporaryFolder();
    const { child, locked } = await lockInProcess(folder);
    expect(locked).toBe(true);
    expect(lockInstance(folder)).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = lockInstance(folder);
    expect(lock).not.toBeNull();
    await lock?.release();
  });

  it('goes to exactly one of many that start at once, over what a dead one left', async () => {
    const folder = temporaryFolder();
    const dead = await lockInProcess(folder);
    dead.child.kill('SIGKILL');
    await once(dead.child, 'exit');
    const all = await Promise.all(Array.from({ length: 5 }, () => lockInProcess(folder)));
    expect(all.filter(({ locked }) => locked)).toHaveLength(1);
  });

  it('announces where the instance is, to this person alone, and takes it back', async () => {
    const folder = temporaryFolder();
    const lock = lockInstance(folder);
    await lock?.announce(4000, newInstanceKey());
    expect(statSync(join(folder, 'instance.json')).mode & 0o777).toBe(0o600);
    await lock?.release();
    expect(existsSync(join(folder, 'instance.json'))).toBe(false);
    const again = lockInstance(folder);
    expect(again).not.toBeNull();
    await again?.release();
  });

  it('that cannot be taken for want of a folder is an error that says so', () => {
    const missing = join(temporaryFolder(), 'gone');
    expect(() => lockInstance(missing)).toThrow(expect.objectContaining({ code: 'file-unreadable' }));
  });
});

describe('a second start', () => {
  it('gets the first one’s address with the key that it announced', async () => {
    const folder = temporaryFolder();
    const address = 'http://127.0.0.1:1/?token=fresh';
    const { port, keys } = await answering(address);
    const lock = lockInstance(folder);
    const key = newInstanceKey();
    await lock?.announce(port, key);
    expect(await lockOrAddress(folder, '/instance')).toEqual({ address });
    expect(keys).toEqual([`Bearer ${key}`]);
    await lock?.release();
  });

  it('waits for a first one that is just starting', async () => {
    const folder = temporaryFolder();
    const address = 'http://127.0.0.1:1/?token=late';
    const { port } = await answering(address);
    const lock = lockInstance(folder);
    const second = lockOrAddress(folder, '/instance');
    await lock?.announce(port, newInstanceKey());
    expect(await second).toEqual({ address });
    await lock?.release();
  });

  it('takes the place of a first one that is just ending', async () => {
    const folder = temporaryFolder();
    const lock = lockInstance(folder);
    const second = lockOrAddress(folder, '/instance');
    await lock?.release();
    const mine = await second;
    expect(mine).toHaveProperty('lock');
    if ('lock' in mine) await mine.lock.release();
  });

  it('is told when the first one does not answer', async () => {
    const folder = temporaryFolder();
    const lock = lockInstance(folder);
    // Nothing listens on the reserved port 1.
    await lock?.announce(1, newInstanceKey());
    await expect(lockOrAddress(folder, '/instance', 0)).rejects.toMatchObject({
      code: 'engine-busy',
      message: expect.stringContaining(String(process.pid)),
    });
    await lock?.release();
  });

  it.each(['', '{', '{"port":1}', '[]'])('is not misled by a torn announcement: %s', async (text) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'instance.json'), text);
    const mine = await lockOrAddress(folder, '/instance');
    expect(mine).toHaveProperty('lock');
    if ('lock' in mine) await mine.lock.release();
  });
});
