import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Turn } from '../../../src-main/contract/index.ts';
import { openStore } from '../../../src-main/store/open-store.ts';
import { writeWav } from '../../fixtures/voice/wav-writer.ts';
import { homeWithBundle, type Line, parlance } from './parlance.ts';
import { fill, makeReadOnly, smallDisk } from './small-disk.ts';
import { atRate, longFile, question, soundFile } from './sounds.ts';

const few = ['--max-tokens', '2', '--json'];
let folder: string;
let home: string;
let spoken: Float32Array;
/** What was there before anything went wrong. */
let before: Turn[];

async function shown(): Promise<Turn[]> {
  const store = await openStore({ folder: home });
  try {
    const [first] = await store.conversations({ limit: 1, search: 'Hello' });
    return await store.turns(first?.id ?? '');
  } finally {
    await store.close();
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-sounds-'));
  home = homeWithBundle(mkdtempSync(join(tmpdir(), 'parlance-cli-')));
  spoken = await question();
  await parlance(home, ['ask', '--text', 'Hello.', ...few]);
  before = await shown();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(home, { recursive: true });
});

/** The command fails with this code, in JSON and in words, and what was there before is there still. */
async function refused(parameters: string[], code: string): Promise<Line> {
  const failed = await parlance(home, [...parameters, '--json']);
  expect(failed.last).toMatchObject({ type: 'error', code });
  expect(failed.code).toBe(1);
  expect(failed.last.message).toMatch(/\S{3}/);
  expect(failed.last.hint).toMatch(/\S{3}/);
  expect(failed.stdout).not.toContain('"code":"internal"');
  expect(await shown()).toEqual(before);
  return failed.last;
}

describe('every common kind of WAV file', () => {
  it('is understood: 8, 16, 24 bits and float, mono and stereo, 8 to 96 kHz', async () => {
    const at = (rate: number) => atRate(spoken, rate);
    const stereo = (rate: number) => [at(rate), at(rate)];
    const files = [
      soundFile(folder, '8-bit.wav', [at(8000)], { bits: 8, sampleRate: 8000 }),
      soundFile(folder, '16-bit.wav', [spoken]),
      soundFile(folder, '16-bit-stereo.wav', stereo(44_100), { sampleRate: 44_100 }),
      soundFile(folder, '24-bit.wav', [at(48_000)], { bits: 24, sampleRate: 48_000 }),
      soundFile(folder, '24-bit-stereo.wav', stereo(22_050), { bits: 24, sampleRate: 22_050 }),
      soundFile(folder, 'float.wav', [at(32_000)], { bits: 32, float: true, sampleRate: 32_000 }),
      soundFile(folder, 'float-stereo.wav', stereo(96_000), { bits: 32, float: true, sampleRate: 96_000 }),
    ];
    const transcribed = await parlance(home, ['transcribe', ...files, '--language', 'en', '--json']);
    expect(transcribed.code).toBe(0);
    const texts = transcribed.events.filter(({ type }) => type === 'done').map(({ text }) => text);
    expect(texts).toHaveLength(files.length);
    for (const text of texts) expect(text).toMatch(/capital of France/i);

    const asked = await parlance(home, ['ask', ...files, ...few]);
    expect(asked.code).toBe(0);
    expect(asked.events.filter(({ type }) => type === 'done')).toHaveLength(files.length);
  });
});

describe('sound that cannot be answered', () => {
  const written = (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  it('an empty file', async () => {
    await refused(['ask', written('empty.wav', '')], 'audio-empty');
    await refused(['ask', written('no-samples.wav', writeWav([new Float32Array(0)]))], 'audio-empty');
  });

  it('0.1 seconds', async () => {
    await refused(['ask', soundFile(folder, 'short.wav', [spoken.slice(8000, 9600)])], 'audio-too-short');
  });

  it('silence', async () => {
    await refused(['ask', soundFile(folder, 'silence.wav', [new Float32Array(48_000)])], 'audio-silent');
  });

  it('20 minutes: more than the context holds, and said before minutes were spent on it', async () => {
    const path = longFile(folder, spoken, 20);
    const began = performance.now();
    const { message } = await refused(['ask', path], 'audio-too-long');
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(message).toMatch(/\d/);
  });

  it('a text that is named .wav', async () => {
    const { message } = await refused(['ask', written('text.wav', 'Dear diary,\n')], 'audio-format');
    expect(message).toContain('text.wav');
  });

  it('a file that was cut off', async () => {
    const whole = writeWav([spoken]);
    const { message } = await refused(['ask', written('cut.wav', whole.slice(0, 20_000))], 'audio-truncated');
    expect(message).toContain('cut.wav');
    await refused(['ask', written('cut-in-header.wav', whole.slice(0, 30))], 'audio-format');
  });

  it('a folder', async () => {
    await refused(['ask', folder], 'file-unreadable');
  });
});

describe('text that cannot be answered', () => {
  it('none', async () => {
    await refused(['ask', '--text', '  '], 'text-empty');
  });

  it('more than the context holds', async () => {
    const { message } = await refused(['ask', '--text', 'word '.repeat(24_000)], 'text-too-long');
    expect(message).toMatch(/\d/);
  });
});

describe('a database that cannot be used', () => {
  it('locked by another program', async () => {
    const holderPath = fileURLToPath(new URL('../../fixtures/store/lock-holder.ts', import.meta.url));
    const holder = fork(holderPath, [home]);
    await once(holder, 'message');
    const { code, last } = await parlance(home, ['ask', '--text', 'Hello.', '--json']);
    expect(last).toMatchObject({ type: 'error', code: 'database-locked' });
    expect(code).toBe(1);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(await shown()).toEqual(before);
  });

  it('on a disk that may not be written', async () => {
    const disk = smallDisk(24);
    if (disk === null) return;
    homeWithBundle(disk);
    await parlance(disk, ['ask', '--text', 'Hello.', ...few]);
    makeReadOnly(disk);
    const { code, last } = await parlance(disk, ['ask', '--text', 'Hello.', '--json']);
    expect(last).toMatchObject({ type: 'error', code: 'database-readonly' });
    expect(code).toBe(1);
  });
});

describe('a full disk', () => {
  it('is said, keeps what is there, and is no trouble once there is room', async () => {
    const disk = smallDisk(24);
    if (disk === null) return;
    homeWithBundle(disk);
    const kept = await parlance(disk, ['ask', '--text', 'Hello.', ...few]);
    const filling = fill(disk);
    const path = soundFile(folder, 'for-full-disk.wav', [spoken]);
    const failed = await parlance(disk, ['ask', path, ...few]);
    expect(failed.last).toMatchObject({ type: 'error', code: 'disk-full' });
    expect(failed.code).toBe(1);
    rmSync(filling);
    const id = String(kept.last.conversation);
    const { events } = await parlance(disk, ['history', 'show', id, '--json']);
    expect(events.at(-1)).toMatchObject({ status: 'complete', text: kept.last.text });
    expect(await parlance(disk, ['ask', path, ...few])).toMatchObject({ code: 0 });
  });
});
