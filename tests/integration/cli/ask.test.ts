import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Ended, homeWithBundle, parlance, sample } from './parlance.ts';

const question = sample('question-capital-of-france.wav');
const short = ['--max-tokens', '24'];

/** One home for the file: what is asked first is what later tests go on with. */
let home: string;
let spoken: Ended;

beforeAll(async () => {
  home = homeWithBundle(mkdtempSync(join(tmpdir(), 'parlance-cli-')));
  spoken = await parlance(home, ['ask', question, ...short, '--json']);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('a spoken question', () => {
  it('is answered by the speech LLM, token by token', () => {
    expect(spoken.stderr).toBe('');
    expect(spoken.code).toBe(0);
    expect(spoken.last).toMatchObject({ type: 'done', engine: 'speech-llm', provider: expect.any(String) });
    const tokens = spoken.events.filter(({ type }) => type === 'token');
    expect(tokens.length).toBeGreaterThan(3);
    expect(tokens.map((token) => token.text).join('')).toBe(spoken.last.text);
  });

  it('says what it cost', () => {
    expect(spoken.last.usage).toMatchObject({ cachedTokens: 0, audioTokens: expect.any(Number) });
    for (const name of ['featuresMs', 'encodeMs', 'adaptMs', 'prefillMs', 'firstTokenMs', 'decodeMs']) {
      expect(spoken.last.timings).toHaveProperty(name, expect.any(Number));
    }
    expect(spoken.last).toHaveProperty('timings.tokensPerSecond', expect.any(Number));
    expect(spoken.last.usage?.audioTokens).toBeGreaterThan(0);
  });

  it('is kept with its sound, as in the app', async () => {
    const id = String(spoken.last.conversation);
    const { events, code } = await parlance(home, ['history', 'show', id, '--json']);
    expect(code).toBe(0);
    const turns = events.filter(({ type }) => type === 'turn');
    expect(turns).toMatchObject([
      { role: 'user', kind: 'spoken', audio: { seconds: expect.any(Number) } },
      { role: 'assistant', status: 'complete', text: spoken.last.text, id: spoken.last.turn },
    ]);
    const sha256 = turns[0]?.audio?.sha256 ?? '';
    expect(readdirSync(join(home, 'audio', sha256.slice(0, 2)))).toEqual([`${sha256}.wav`]);
  });

  it('is asked of Whisper and the LLM on demand', async () => {
    const { last, code } = await parlance(home, ['ask', question, '--engine', 'cascade', ...short, '--json']);
    expect(code).toBe(0);
    expect(last).toMatchObject({ type: 'done', engine: 'cascade' });
    expect(last.timings?.transcribeMs).toBeGreaterThan(0);
  });

  it('is answered in plain text when nobody asks for JSON: the answer alone on standard output', async () => {
    const { stdout, stderr, code } = await parlance(home, ['ask', question, '--max-tokens', '4']);
    expect(code).toBe(0);
    expect(stdout.trim()).not.toBe('');
    expect(stdout).not.toContain('{');
    expect(stderr).toMatch(/speech-llm on \w+ · first word \d+\.\d+ s · .* tokens\/s .* conversation /);
  });
});

describe('a typed question', () => {
  it('goes on with a conversation, and computes only what is new', async () => {
    const id = String(spoken.last.conversation);
    const asked = ['ask', '--conversation', id, '--text', 'Name one famous building there.', ...short];
    const { last, code } = await parlance(home, [...asked, '--json']);
    expect(code).toBe(0);
    expect(last).toMatchObject({ type: 'done', conversation: id });
    expect(last.usage?.cachedTokens).toBeGreaterThan(0);
    expect(last.usage?.cachedTokens).toBeLessThan(last.usage?.promptTokens ?? 0);
  });

  it('is asked after the files that are named with it, in one conversation', async () => {
    const asked = ['ask', question, '--text', 'Say it again.', '--max-tokens', '4', '--json'];
    const { events, code } = await parlance(home, asked);
    expect(code).toBe(0);
    const done = events.filter(({ type }) => type === 'done');
    expect(done).toHaveLength(2);
    expect(done[0]?.conversation).toBe(done[1]?.conversation);
    const shown = await parlance(home, ['history', 'show', String(done[0]?.conversation), '--json']);
    expect(shown.events.filter(({ type }) => type === 'turn').map((turn) => turn.kind)).toEqual([
      'spoken',
      'typed',
      'typed',
      'typed',
    ]);
  });

  it('is answered the same way twice with the same seed', async () => {
    const asked = [
      'ask',
      '--text',
      'Tell me a story.',
      '--temperature',
      '1',
      '--seed',
      '7',
      '--max-tokens',
      '12',
    ];
    const [one, other] = [
      await parlance(home, [...asked, '--json']),
      await parlance(home, [...asked, '--json']),
    ];
    expect(one.last.text).toBe(other.last.text);
  });
});

describe('a device', () => {
  it('that this system does not have is refused by its name, not replaced without a word', async () => {
    const device = process.platform === 'darwin' ? 'dml' : 'coreml';
    const asked = ['ask', '--text', 'Hello.', '--device', device, '--json'];
    const { code, last } = await parlance(home, asked);
    expect(code).toBe(1);
    expect(last).toMatchObject({ type: 'error', code: 'device-unavailable' });
    expect(last.message).toContain(device);
  });

  it('by the name of cpu always works, and is named by the answer', async () => {
    const asked = ['ask', '--text', 'Hello.', '--device', 'cpu', '--max-tokens', '2', '--json'];
    expect((await parlance(home, asked)).last).toMatchObject({ type: 'done', provider: 'cpu' });
  });
});

describe('Ctrl+C', () => {
  it('stops the answer, which is kept as far as it came', async () => {
    let told = '';
    const stopped = await parlance(
      home,
      ['ask', '--text', 'Count to one thousand.', '--max-tokens', '2000', '--json'],
      {
        onOutput: (child, output) => {
          const began = told !== '';
          told += output;
          if (!began) child.kill('SIGINT');
        },
      },
    );
    expect(stopped.code).toBe(1);
    expect(stopped.last).toMatchObject({ type: 'error', code: 'cancelled' });
    const id = /conversation (\S+?)\.$/.exec(String(stopped.last.message))?.[1] ?? '';
    const { events } = await parlance(home, ['history', 'show', id, '--json']);
    const answer = events.at(-1);
    expect(answer).toMatchObject({ role: 'assistant', status: 'stopped' });
    expect(String(answer?.text)).not.toBe('');
  });
});

describe('the log', () => {
  it('holds nothing that was said or answered', () => {
    const folder = join(home, 'logs');
    const logs = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const log = logs.join('\n');
    expect(log).toContain('"event":"started"');
    for (const words of ['France', 'Paris', 'building', 'thousand', 'question-capital']) {
      expect(log).not.toContain(words);
    }
  });
});
