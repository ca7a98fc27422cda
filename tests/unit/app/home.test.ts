import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { homeFolder, openHome } from '../../../src-main/app/home.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

describe('the home', () => {
  it('is where PARLANCE_HOME says, and otherwise in the platform’s folder for application data', () => {
    expect(homeFolder({ PARLANCE_HOME: '/somewhere/else' })).toBe('/somewhere/else');
    expect(homeFolder({})).toMatch(/parlance/);
    expect(homeFolder({ PARLANCE_HOME: '' })).toBe(homeFolder({}));
  });

  it('is made with all its folders, for this person alone', async () => {
    const folder = join(temporaryFolder(), 'a', 'home');
    const home = await openHome({ PARLANCE_HOME: folder });
    expect(home.folder).toBe(folder);
    for (const each of [folder, home.spool, home.models, home.downloads, home.cache, home.logs]) {
      expect(statSync(each).mode & 0o777).toBe(0o700);
    }
  });

  it('is closed to others when it was open to them', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    await openHome({ PARLANCE_HOME: folder });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('opens again over what is there', async () => {
    const folder = temporaryFolder();
    const { models } = await openHome({ PARLANCE_HOME: folder });
    mkdirSync(join(models, 'mine'));
    await openHome({ PARLANCE_HOME: folder });
    expect(statSync(join(models, 'mine')).isDirectory()).toBe(true);
  });

  it('that cannot be is refused with its name and what to do', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const opening = openHome({ PARLANCE_HOME: join(file, 'home') });
    await expect(opening).rejects.toMatchObject({
      code: 'file-unreadable',
      hint: expect.stringMatching(/PARLANCE_HOME/),
    });
    await expect(opening).rejects.toThrow(file);
  });
});
