import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageIndexes, settingIn } from '../../../src-main/models/pip-settings.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

describe('a pip configuration file', () => {
  it('gives a value of its global section, and the values on the lines below it', () => {
    const text = [
      '# set by the administrator',
      '[global]',
      'timeout = 60',
      'index-url = https://index.example/simple',
      'extra-index-url =',
      '    https://one.example/simple',
      '    https://two.example/simple',
      '[freeze]',
      'index-url = https://elsewhere.example/simple',
    ].join('\n');
    expect(settingIn(text, 'index-url')).toBe('https://index.example/simple');
    expect(settingIn(text, 'extra-index-url')?.trim()).toBe(
      'https://one.example/simple https://two.example/simple',
    );
    expect(settingIn(text, 'proxy')).toBeNull();
  });

  it('is the one that PIP_CONFIG_FILE names, and the environment is above it', async () => {
    const file = join(temporaryFolder(), 'pip.conf');
    writeFileSync(
      file,
      '[global]\nindex-url = https://index.example/simple/\nextra-index-url = file:///srv/simple',
    );
    const environment = { PIP_CONFIG_FILE: file };
    expect(await packageIndexes(environment)).toEqual(['https://index.example/simple']);
    expect(await packageIndexes({ ...environment, PIP_INDEX_URL: 'http://127.0.0.1:8080/simple' })).toEqual([
      'http://127.0.0.1:8080/simple',
    ]);
  });

  it.skipIf(process.platform === 'win32')('is found in the person’s own folder', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'pip'));
    writeFileSync(join(home, 'pip/pip.conf'), '[global]\nindex-url=https://own.example/simple');
    if (process.platform === 'linux')
      expect((await packageIndexes({ XDG_CONFIG_HOME: home }))[0]).toBe('https://own.example/simple');
  });
});
