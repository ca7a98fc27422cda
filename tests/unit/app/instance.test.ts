import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { claimInstance, newInstanceKey, runningAddress } from '../../../src-main/app/instance.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const claimer = fileURLToPath(new URL('../../fixtures/app/instance-claimer.ts', import.meta.url));

/** A process that claims the instance file, tells whether it got it, and goes on until it is ended. */
async function claimInProcess(file: string) {
  const child = fork(claimer, [file]);
  const [claimed] = await once(child, 'message');
  return { child, claimed: claimed as boolean };
}

describe('the instance file', () => {
  it('is readable by this person alone, and gone when it is released', async () => {
    const file = join(temporaryFolder(), 'instance.json');
    const claim = await claimInstance(file, 4000, newInstanceKey());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await claim?.release();
    expect(existsSync(file)).toBe(false);
  });

  it('belongs to one living process', async () => {
    const file = join(temporaryFolder(), 'instance.json');
    const { child, claimed } = await claimInProcess(file);
    expect(claimed).toBe(true);
    const before = readFileSync(file, 'utf8');
    expect(await claimInstance(file, 4001, newInstanceKey())).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe(before);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const claim = await claimInstance(file, 4001, newInstanceKey());
    expect(claim).not.toBeNull();
    await claim?.release();
  });

  it('goes to exactly one of many that start at once, over what a dead one left', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'instance.json');
    const dead = await claimInProcess(file);
    dead.child.kill('SIGKILL');
    await once(dead.child, 'exit');
    const all = await Promise.all(Array.from({ length: 5 }, () => claimInProcess(file)));
    expect(all.filter(({ claimed }) => claimed)).toHaveLength(1);
    for (const { child } of all) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expect(readdirSync(folder)).toEqual(['instance.json']);
  });

  it.each(['', '{', '{"owner":1}', '[]'])('that is torn counts as none: %s', async (text) => {
    const file = join(temporaryFolder(), 'instance.json');
    writeFileSync(file, text);
    expect(await runningAddress(file, '/instance')).toBeNull();
    expect(await claimInstance(file, 4000, newInstanceKey())).not.toBeNull();
  });

  it('is not removed by one that it does not belong to', async () => {
    const file = join(temporaryFolder(), 'instance.json');
    const first = await claimInstance(file, 4000, newInstanceKey());
    writeFileSync(
      file,
      readFileSync(file, 'utf8')
        .replace('"port":4000', '"port":4001')
        .replace(/"key":"./, '"key":"~'),
    );
    await first?.release();
    expect(existsSync(file)).toBe(true);
  });
});
