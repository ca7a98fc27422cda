import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { homeWithBundle, parlance, sample } from './parlance.ts';
import { joined, soundFile, spoken } from './sounds.ts';

const address = sample('recorded-inaugural-address-1961.wav');
const france = sample('question-capital-of-france.wav');
let home: string;

beforeAll(() => {
  home = homeWithBundle(mkdtempSync(join(tmpdir(), 'parlance-cli-')));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('transcribing', () => {
  it('finds the language, and gives words with times', async () => {
    const { events, last, code } = await parlance(home, ['transcribe', address, '--json']);
    expect(code).toBe(0);
    expect(last).toMatchObject({ type: 'done', file: address, language: 'en', provider: expect.any(String) });
    expect(last.text).toMatch(/ask not what your country can do for you/i);
    const segments = events.filter(({ type }) => type === 'segment');
    expect(segments.length).toBeGreaterThan(0);
    let end = 0;
    for (const segment of segments) {
      expect(segment.start).toBeGreaterThanOrEqual(end);
      expect(segment.end).toBeGreaterThan(Number(segment.start));
      end = Number(segment.end);
    }
    expect(end).toBeLessThanOrEqual(Number(last.seconds) + 0.1);
  });

  it('writes a file of the kind that is wanted, and nothing else', async () => {
    const path = join(temporaryFolder(), 'address.srt');
    const { stdout, code } = await parlance(home, ['transcribe', address, '--format', 'srt', '-o', path]);
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect(readFileSync(path, 'utf8')).toMatch(/^1\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\n\S/);
  });

  it('writes several files into a folder, and refuses to write them over one another', async () => {
    const folder = temporaryFolder();
    const both = ['transcribe', address, france, '--language', 'en', '--format', 'vtt'];
    expect((await parlance(home, [...both, '-o', folder])).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual([
      'question-capital-of-france.vtt',
      'recorded-inaugural-address-1961.vtt',
    ]);
    const single = join(folder, 'one.vtt');
    const refused = await parlance(home, [...both, '-o', single, '--json']);
    expect(refused.code).toBe(1);
    expect(refused.last).toMatchObject({ code: 'invalid-request' });
    expect(existsSync(single)).toBe(false);
  });

  it('takes sound that is longer than Whisper hears at once, window by window', async () => {
    const talks = ['recorded-inaugural-address-1961', 'recorded-sense-and-sensibility-0920'];
    const questions = ['question-what-is-a-volcano', 'question-days-in-a-week', 'question-capital-of-france'];
    const parts = await Promise.all([...talks, ...questions, ...talks].map((name) => spoken(`${name}.wav`)));
    const path = soundFile(temporaryFolder(), 'long.wav', [joined(parts, 0.5)]);
    const { last, code } = await parlance(home, ['transcribe', path, '--language', 'en', '--json']);
    expect(code).toBe(0);
    expect(last.seconds).toBeGreaterThan(40);
    expect(last.text).toMatch(
      /ask not what your country .*volcano.*capital of France.*ask not what your country/i,
    );
  });

  it('says that DOCX is not there yet', async () => {
    const { last, code } = await parlance(home, ['transcribe', france, '--format', 'docx', '--json']);
    expect(code).toBe(1);
    expect(last).toMatchObject({ type: 'error', code: 'not-supported' });
  });

  it('leaves no copy of the sound behind', () => {
    expect(readdirSync(join(home, 'cache')).filter((name) => name.startsWith('listening-'))).toEqual([]);
  });
});
