import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { homeWithBundle, parlance, sample } from './parlance.ts';

let home: string;
let folder: string;

beforeAll(() => {
  home = homeWithBundle(mkdtempSync(join(tmpdir(), 'parlance-cli-')));
  folder = mkdtempSync(join(tmpdir(), 'parlance-suite-'));
});
afterAll(() => {
  for (const each of [home, folder]) rmSync(each, { recursive: true, force: true });
});

function suiteFile(name: string, items: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(items));
  return path;
}

const france = () => ({
  audio: relative(folder, sample('question-capital-of-france.wav')),
  text: 'What is the capital of France?',
  language: 'en',
});

it('measures every engine by a question with a known answer', { timeout: 240_000 }, async () => {
  const suite = suiteFile('question.json', [{ ...france(), answers: ['Paris'], keep: ['France'] }]);
  const kept = join(folder, 'results.jsonl');
  const short = ['--max-tokens', '24', '--json', '-o', kept];
  const { code, events, last, stdout } = await parlance(home, ['eval', suite, ...short]);
  expect(code).toBe(0);
  expect(events.filter(({ type }) => type === 'item').map(({ subject }) => subject)).toEqual([
    ...['written', 'whisper', 'cascade', 'speech-llm'],
  ]);
  expect(last).toMatchObject({ type: 'done', bundle: 'parlance-mini', items: 1 });
  const summaryOf = (subject: string) =>
    events.find((event) => event.type === 'summary' && event.subject === subject)?.measures;
  expect(summaryOf('whisper')).toMatchObject({ wer: { value: 0, items: 1 }, kept: { value: 1 } });
  expect(summaryOf('cascade')).toMatchObject({ success: { value: 1 }, divergence: { value: 0 } });
  expect(summaryOf('speech-llm')).toMatchObject({
    wer: { value: expect.any(Number) },
    perplexityToWritten: { value: expect.any(Number) },
    divergence: { value: expect.any(Number) },
  });
  expect(readFileSync(kept, 'utf8')).toBe(stdout);
  expect(readdirSync(join(home, 'cache'))).toEqual([]);
});

it('prints a table for people', async () => {
  const suite = suiteFile('plain.json', [france()]);
  const { code, stdout, stderr } = await parlance(home, ['eval', suite, '--engine', 'whisper']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ +items +whisper\nword error rate, % +1 +0\.0\n/);
  expect(stderr).toContain('1/1 ');
});

it('refuses what is no suite, and sound that is not there', async () => {
  const wrong = await parlance(home, ['eval', suiteFile('wrong.json', [{ audio: 'a.wav' }]), '--json']);
  expect(wrong.code).toBe(1);
  expect(wrong.last).toMatchObject({ code: 'invalid-request', message: expect.stringContaining('item 1') });
  const missing = await parlance(home, ['eval', join(folder, 'none.json'), '--json']);
  expect(missing.last).toMatchObject({ code: 'file-missing' });
  const silent = await parlance(home, [
    'eval',
    suiteFile('no-sound.json', [{ audio: 'a.wav', text: 'a' }]),
    '--json',
  ]);
  expect(silent.code).toBe(1);
  expect(silent.last).toMatchObject({ code: 'file-missing', message: expect.stringContaining('a.wav') });
  expect((await parlance(home, ['eval'])).code).toBe(2);
});

it('prints what the page about it says', async () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const page = readFileSync(join(root, 'docs/measuring.md'), 'utf8');
  const [, command = '', table] = /^```console\n\$ npx parlance (.+)\n([^`]+)^```$/m.exec(page) ?? [];
  const parameters = command.split(' ').map((word) => (word.includes('/') ? join(root, word) : word));
  expect((await parlance(home, parameters)).stdout).toBe(table);
});
