import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
});

function targetSuites(): string {
  const suites = join(folder, 'suites');
  const write = (name: string, items: readonly object[]) => {
    mkdirSync(join(suites, name), { recursive: true });
    writeFileSync(join(suites, name, 'suite.json'), JSON.stringify(items));
  };
  const audio = relative(join(suites, 'recorded'), sample('question-capital-of-france.wav'));
  const item = { audio, text: 'What is the capital of France?' };
  write('recorded', [item]);
  write('names', [{ ...item, keep: ['France'], voice: 'flite/slt' }]);
  return suites;
}

it('holds a bundle against its targets, and goes on where it was', { timeout: 240_000 }, async () => {
  const where = ['--suites', targetSuites(), '--work', join(folder, 'work'), '--device', 'cpu'];
  const first = await parlance(home, ['eval', ...where, '--rows', 'wer,names,size', '--json']);
  expect(first.code).toBe(0);
  const rowNamed = (name: string) => first.events.find(({ type, row }) => type === 'row' && row === name);
  expect(rowNamed('wer')).toMatchObject({
    target: { kind: 'at-most', value: 0.15 },
    cascade: { value: 0, items: 1 },
    speechLlm: { value: expect.any(Number) },
    reached: expect.any(Boolean),
  });
  expect(rowNamed('names')).toMatchObject({ cascade: { value: 1 }, target: null, reached: null });
  expect(rowNamed('size')).toMatchObject({ cascade: null, reached: true });
  expect(first.last).toMatchObject({ type: 'done', bundle: 'parlance-mini', voices: ['flite/slt'] });
  expect(readdirSync(join(folder, 'work')).sort()).toEqual([
    'names-transcript.jsonl',
    'recorded-transcript.jsonl',
  ]);
  const lines = readFileSync(join(folder, 'work', 'recorded-transcript.jsonl'), 'utf8');

  const again = await parlance(home, ['eval', ...where, '--rows', 'wer']);
  expect(again.stdout).toMatch(/^parlance-mini, \d{4}-\d\d-\d\d, .+ device cpu\n/);
  expect(again.stdout).toMatch(
    /^word error rate, recorded, % +1 +\d+\.\d +0\.0 +≤ 15\.0 +(reached|missed)$/m,
  );
  expect(readFileSync(join(folder, 'work', 'recorded-transcript.jsonl'), 'utf8')).toBe(lines);
});

it('tells which rows there are, and what makes their suites', async () => {
  const unknown = await parlance(home, ['eval', '--suites', targetSuites(), '--rows', 'beauty', '--json']);
  expect(unknown.last).toMatchObject({
    code: 'invalid-request',
    hint: expect.stringContaining('first-word'),
  });
  const none = await parlance(home, ['eval', '--suites', join(folder, 'nowhere'), '--json']);
  expect(none.code).toBe(1);
  expect(none.last).toMatchObject({
    code: 'file-missing',
    hint: expect.stringContaining('evaluation.prepare'),
  });
});

it('prints what the page about it says', { timeout: 240_000 }, async () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const page = readFileSync(join(root, 'docs/measuring.md'), 'utf8');
  const [, command = '', table] = /^```console\n\$ npx parlance (.+)\n([^`]+)^```$/m.exec(page) ?? [];
  const parameters = command.split(' ').map((word) => (word.includes('/') ? join(root, word) : word));
  expect((await parlance(home, parameters)).stdout).toBe(table);
});
