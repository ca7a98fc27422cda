import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../../src-main/app/log.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const today = new Date().toISOString().slice(0, 10);

describe('the log', () => {
  it('is a line of JSON an event, in a file of the day, for this person alone', () => {
    const folder = temporaryFolder();
    openLog(folder, 'test').info({ event: 'started' });
    const path = join(folder, `parlance-${today}.log`);
    const line = JSON.parse(readFileSync(path, 'utf8'));
    expect(line).toMatchObject({ event: 'started', mode: 'test', pid: process.pid });
    expect(Date.parse(line.time)).toBeGreaterThan(Date.now() - 60_000);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('puts a file aside that grew too long', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, `parlance-${today}.log`), 'x'.repeat(5 * 1024 * 1024 + 1));
    openLog(folder, 'test').info({ event: 'started' });
    expect(readdirSync(folder)).toHaveLength(2);
    expect(statSync(join(folder, `parlance-${today}.log`)).size).toBeLessThan(1000);
  });

  it('keeps a week, and nothing of others', () => {
    const folder = temporaryFolder();
    for (let day = 10; day < 30; day++) {
      const path = join(folder, `parlance-2020-01-${day}.log`);
      writeFileSync(path, '');
      utimesSync(path, day, day);
    }
    writeFileSync(join(folder, 'notes.txt'), '');
    openLog(folder, 'test').info({ event: 'started' });
    const names = readdirSync(folder);
    expect(names).toContain('notes.txt');
    expect(names).not.toContain('parlance-2020-01-10.log');
    expect(names).toContain('parlance-2020-01-29.log');
    expect(names.filter((name) => name.startsWith('parlance-'))).toHaveLength(8);
  });

  it('stops nothing when it cannot be written', () => {
    const folder = temporaryFolder();
    const log = openLog(folder, 'test');
    rmSync(folder, { recursive: true });
    expect(() => log.info({ event: 'unseen' })).not.toThrow();
  });
});
