import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pagesFolder = join(root, 'docs/foundry');
const pages = readdirSync(pagesFolder).filter((name) => name.endsWith('.md'));

interface Step {
  readonly command: string;
  /** What the page says that it prints. */
  readonly output: string;
}

/** Every `$ command` of a page's console blocks, with what stands below it. */
function stepsOf(page: string): Step[] {
  const text = readFileSync(join(pagesFolder, page), 'utf8');
  return [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = '', ...output] = step.split('\n');
        return { command, output: output.join('\n') };
      }),
  );
}

/** A folder that looks like a checkout to the commands, and what they write stays in it. */
function checkout(): string {
  const folder = temporaryFolder();
  for (const name of ['resources', 'tests', 'native-models', 'node_modules'])
    symlinkSync(join(root, name), join(folder, name), 'dir');
  mkdirSync(join(folder, 'bin'));
  const program = join(folder, 'bin/parlance');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/parlance.mjs')}' "$@"\n`);
  chmodSync(program, 0o755);
  return folder;
}

function run(command: string, folder: string): string {
  const path = [join(folder, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
  return execFileSync('/bin/sh', ['-c', command], {
    cwd: folder,
    env: { ...process.env, PATH: path, PARLANCE_HOME: join(folder, 'home') },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What may differ between machines and builders: folders, sizes of files, and all but three digits of measured numbers. */
function masked(text: string, folder: string): string {
  return text
    .replaceAll(folder, '…')
    .replace(/\d+(\.\d+)? [kMG]B/g, '# B')
    .replace(/"bytes":\d+/g, '"bytes":#')
    .replace(/\d+\.\d{3,}/g, (number) => Number(number).toPrecision(3))
    .replace(/[ \t]+/g, ' ')
    .replace(/ $/gm, '')
    .trim();
}

describe('the pages about the foundry’s commands', () => {
  it.each(pages)('%s shows what its commands print', (page) => {
    const folder = checkout();
    const steps = stepsOf(page);
    expect(steps).not.toEqual([]);
    for (const { command, output } of steps)
      expect(masked(run(command, folder), folder), command).toBe(masked(output, folder));
  });
});
