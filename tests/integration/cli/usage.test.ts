import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { parlance, sample } from './parlance.ts';

const wrong: Array<[string, string[]]> = [
  ['no command', []],
  ['an unknown command', ['sing']],
  ['an unknown option', ['ask', '--loud', '--text', 'Hello']],
  ['a question without a question', ['ask']],
  ['an engine that there is not', ['ask', '--text', 'Hello', '--engine', 'oracle']],
  ['a device that there is not', ['ask', '--text', 'Hello', '--device', 'abacus']],
  ['a temperature that is none', ['ask', '--text', 'Hello', '--temperature', 'warm']],
  ['a token limit of nothing', ['ask', '--text', 'Hello', '--max-tokens', '0']],
  ['half a token', ['ask', '--text', 'Hello', '--max-tokens', '1.5']],
  ['a format that there is not', ['transcribe', 'a.wav', '--format', 'papyrus']],
  ['a language that is no code', ['transcribe', 'a.wav', '--language', 'English']],
  ['a transcript of nothing', ['transcribe']],
  ['a probe that writes nowhere', ['bundle', 'probe', '.']],
  ['a prompt given twice', ['bundle', 'probe', '.', '--prompt', 'Hi', '--ids', '1', '-o', 'x']],
  ['ids that are none', ['bundle', 'probe', '.', '--ids', 'a,b', '-o', 'x']],
  ['a bundle to be built nowhere', ['bundle', 'build', 'recipe.json']],
  ['a swap without the other LLM', ['bundle', 'swap-llm', '.', '-o', 'x']],
  [
    'a swap to bits that there are not',
    ['bundle', 'swap-llm', '.', '--llm', 'x', '--quantize', 'q3', '-o', 'x'],
  ],
  ['an id that is none', ['bundle', 'swap-llm', '.', '--llm', 'x', '--id', 'Not An Id', '-o', 'x']],
  ['an export to a layout that there is not', ['bundle', 'export', '.', '--format', 'gguf', '-o', 'x']],
  ['an export that goes nowhere', ['bundle', 'export', '.', '--format', 'ultravox']],
  ['the top nothing of a spectrum', ['bundle', 'spectrum', '.', '--top', '0']],
  ['an inspection of nothing', ['bundle', 'inspect']],
  ['a conversation without its id', ['history', 'show']],
];

describe('wrong usage', () => {
  it.each(wrong)('ends with 2 and says why: %s', async (_what, parameters) => {
    const { code, stdout, stderr } = await parlance(temporaryFolder(), parameters);
    expect(code).toBe(2);
    expect(stderr).toMatch(parameters.length === 0 ? /^Usage: parlance/ : /^error: /);
    expect(stdout).toBe('');
  });

  it.each([
    ['--engine', 'oracle', '--engine must be one of speech-llm, cascade'],
    ['--temperature', 'warm', '--temperature must be a number'],
    ['--max-tokens', '1.5', '--max-tokens must be a whole number'],
    ['--max-tokens', '0', '--max-tokens must be at least 1'],
  ])('is told in plain words: %s %s', async (option, value, told) => {
    const { stderr } = await parlance(temporaryFolder(), ['ask', '--text', 'Hello', option, value]);
    expect(stderr).toBe(`error: ${told}\n`);
  });

  it('is a line of JSON with --json', async () => {
    const { code, last, events } = await parlance(temporaryFolder(), ['ask', '--json']);
    expect(code).toBe(2);
    expect(events).toHaveLength(1);
    expect(last).toMatchObject({ type: 'error', code: 'invalid-request' });
    expect(last.message).toMatch(/nothing is asked/);
    expect(last.hint).not.toBe('');
  });
});

describe('what is asked for and is not there', () => {
  const cases: Array<[string, string[], string]> = [
    ['a bundle that is not installed', ['ask', '--text', 'Hello'], 'bundle-missing'],
    [
      'a transcript without a bundle',
      ['transcribe', sample('question-what-is-gravity.wav')],
      'bundle-missing',
    ],
    ['a file', ['ask', 'nothing-here.wav'], 'file-missing'],
    ['a file to transcribe', ['transcribe', 'nothing-here.wav'], 'bundle-missing'],
    ['a conversation', ['history', 'show', 'nothing-here'], 'conversation-missing'],
    ['a conversation by an id that cannot be', ['history', 'show', '../x'], 'conversation-missing'],
    ['a bundle of the catalogue', ['models', 'pull', 'nothing-here'], 'bundle-missing'],
    ['a bundle to verify', ['models', 'verify'], 'bundle-missing'],
    ['a bundle to remove', ['models', 'remove', 'nothing-here'], 'bundle-missing'],
    ['a bundle to probe', ['bundle', 'probe', 'nothing-here', '-o', 'x'], 'bundle-missing'],
  ];

  it.each(cases)('is an error, with what to do, and ends with 1: %s', async (_what, parameters, expected) => {
    const home = temporaryFolder();
    const { code, last } = await parlance(home, [...parameters, '--json']);
    expect(code).toBe(1);
    expect(last).toMatchObject({ type: 'error', code: expected });
    const plain = await parlance(home, parameters);
    expect(plain.code).toBe(1);
    expect(plain.stdout).toBe('');
    expect(plain.stderr).toBe(`error: ${String(last.message).replace(/\.$/, '')}; ${String(last.hint)}\n`);
  });

  it('a bundle: the hint names the command that fetches it', async () => {
    const { stderr } = await parlance(temporaryFolder(), ['ask', '--text', 'Hello']);
    expect(stderr).toContain('parlance models pull parlance-mini');
  });
});

describe('an empty home', () => {
  it('has no conversations, and the catalogue', async () => {
    const home = temporaryFolder();
    expect(await parlance(home, ['history', 'list', '--json'])).toMatchObject({ code: 0, stdout: '' });
    const { code, events } = await parlance(home, ['models', 'list', '--json']);
    expect(code).toBe(0);
    expect(events).toContainEqual(
      expect.objectContaining({ id: 'parlance-mini', state: 'available', folder: null }),
    );
  });

  it('is told by the doctor with exit code 1, everything else being looked at all the same', async () => {
    const { code, events } = await parlance(temporaryFolder(), ['doctor', '--json']);
    expect(code).toBe(1);
    expect(events.filter(({ type }) => type === 'check').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Node', 'database', 'bundle', 'onnxruntime', 'devices']),
    );
    expect(events).toContainEqual(expect.objectContaining({ name: 'bundle', ok: false }));
    expect(events).toContainEqual(expect.objectContaining({ name: 'database', ok: true }));
  });

  it('is readable by this person alone', async () => {
    const home = join(temporaryFolder(), 'new');
    await parlance(home, ['history', 'list']);
    for (const folder of ['', 'audio', 'spool', 'logs', 'cache', 'models', 'downloads']) {
      expect(statSync(join(home, folder)).mode & 0o777).toBe(0o700);
    }
  });
});
