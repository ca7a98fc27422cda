import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Segment, TranscribeRequest } from '../../../src-main/contract/engine.ts';
import { seededRandom } from '../../../src-main/engine/random.ts';
import { readClip } from '../../../src-main/engine/sound/wav.ts';
import { answered, EngineKit, greedy, spoken, typed, writeClip } from '../../fixtures/engine/engine-kit.ts';
import { wordErrorRate } from '../../fixtures/engine/word-error-rate.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

vi.setConfig({ testTimeout: 180_000 });
const bundle = process.env.PARLANCE_TEST_BUNDLE ?? '';
if (bundle === '')
  console.warn('The real bundle is not tested: PARLANCE_TEST_BUNDLE names none; `npm test` builds it.');
const samples = join(import.meta.dirname, '../../../resources/samples');
const sample = (name: string) => join(samples, `${name}.wav`);
const written = new Map(
  (
    JSON.parse(readFileSync(join(samples, 'samples.json'), 'utf8')) as Array<{ audio: string; text: string }>
  ).map(({ audio, text }) => [audio, text]),
);
const textOf = (name: string) => written.get(`${name}.wav`) ?? '';

const france = 'question-capital-of-france';
const address = 'recorded-inaugural-address-1961';
const noise = (seconds: number, level: number) => {
  const random = seededRandom(5);
  return Float32Array.from({ length: seconds * 16_000 }, () => level * (2 * random() - 1));
};

describe.runIf(bundle !== '')('with the default bundle', () => {
  let cacheFolder: string;
  let clips: string;
  let kit: EngineKit;
  beforeAll(() => {
    cacheFolder = mkdtempSync(join(tmpdir(), 'parlance-engine-'));
    clips = mkdtempSync(join(tmpdir(), 'parlance-clips-'));
    kit = new EngineKit(cacheFolder, { bundle });
  });
  afterAll(async () => {
    await kit.engine.close();
    for (const folder of [cacheFolder, clips]) rmSync(folder, { recursive: true });
  });

  async function transcribe(path: string, change: Partial<TranscribeRequest> = {}) {
    const segments: Segment[] = [];
    const transcript = await kit.engine.transcribe(
      { bundle, device: 'cpu', path, engine: 'whisper', language: 'auto', task: 'transcribe', ...change },
      { segment: (segment) => segments.push(segment) },
      new AbortController().signal,
    );
    expect(segments).toEqual(transcript.segments);
    return transcript;
  }

  it.each(['speech-llm', 'cascade'] as const)(
    'a spoken question is answered by %s, and a follow-up of either kind computes only what is new',
    async (engine) => {
      const conversationId = `talk-${engine}`;
      const question = spoken(sample(france));
      const first = await kit.ask([question], { engine, conversationId });
      expect(first.pieces.join('')).toBe(first.result.text);
      expect(first.result.text.length).toBeGreaterThan(10);
      expect(wordErrorRate(textOf(france), first.result.heardAs ?? '')).toBeLessThan(0.5);
      const { usage, timings } = first.result;
      for (const step of ['featuresMs', 'encodeMs', 'prefillMs', 'firstTokenMs', 'decodeMs'] as const)
        expect(timings[step], step).toBeGreaterThan(0);
      expect(timings.tokensPerSecond).toBeGreaterThan(0);
      // The speech LLM reads sound and never Whisper's words; the cascade reads words alone.
      expect(usage.audioTokens > 0).toBe(engine === 'speech-llm');
      expect(timings.transcribeMs > 0).toBe(engine === 'cascade');

      const turns = [question, answered(first.result.text), typed('Why?')];
      const typedTurn = await kit.ask(turns, { engine, conversationId });
      expect(typedTurn.result.usage.cachedTokens).toBeGreaterThanOrEqual(usage.promptTokens);
      expect(typedTurn.result.timings.encodeMs).toBe(0);

      turns.push(answered(typedTurn.result.text), spoken(sample('followup-language-spoken-there')));
      const spokenTurn = await kit.ask(turns, { engine, conversationId });
      expect(spokenTurn.result.usage.cachedTokens).toBeGreaterThan(typedTurn.result.usage.promptTokens);
      expect(spokenTurn.result.heardAs).toMatch(/language/i);
    },
  );

  it.each(['speech-llm', 'cascade'] as const)(
    'an earlier spoken turn is not heard again by %s in the next process',
    async (engine) => {
      const folder = temporaryFolder();
      const before = new EngineKit(folder, { bundle, engine });
      const first = await before.ask([spoken(sample(france))]);
      await before.engine.close();
      const after = new EngineKit(folder, { bundle, engine });
      const turns = [spoken(sample(france)), answered(first.result.text), typed('And of Italy?')];
      const { usage, timings } = (await after.ask(turns)).result;
      await after.engine.close();
      expect(usage.cachedTokens).toBeGreaterThanOrEqual(first.result.usage.promptTokens);
      expect(timings.encodeMs + timings.transcribeMs).toBe(0);
    },
  );

  it('a continued answer is that of an engine that never stopped, and of one that begins from nothing', async () => {
    const turns = [spoken(sample(france))];
    const question = typed('How many people live there?');
    const folder = temporaryFolder();
    const paused = new EngineKit(folder, { bundle, engine: 'speech-llm' });
    const steady = new EngineKit(temporaryFolder(), { bundle, engine: 'speech-llm' });
    const one = await paused.ask(turns);
    const two = await steady.ask(turns);
    expect(one.result.text).toBe(two.result.text);
    await paused.engine.close();
    const resumed = new EngineKit(folder, { bundle, engine: 'speech-llm' });
    const next = [...turns, answered(one.result.text), question];
    const continued = (await resumed.ask(next)).result.text;
    expect(continued).toBe((await steady.ask(next)).result.text);
    const fromScratch = (await steady.ask(next, { conversationId: 'another' })).result;
    expect(fromScratch.usage.cachedTokens).toBe(0);
    expect(continued).toBe(fromScratch.text);
    await resumed.engine.close();
    await steady.engine.close();
  });

  it.each(['speech-llm', 'cascade'] as const)('%s stops within one token', async (engine) => {
    const { result, pieces } = await kit.ask([typed('Tell me a long story.')], {
      engine,
      conversationId: `stop-${engine}`,
      stopAfter: 3,
    });
    expect(result.finish).toBe('cancelled');
    expect(pieces).toHaveLength(3);
    expect(result.text).toBe(pieces.join(''));
  });

  it.each([
    ['silence', () => new Float32Array(96_000), 'audio-silent', /^No speech in these 6.0 seconds/],
    ['noise', () => noise(6, 0.05), 'audio-silent', /nothing was made up/],
    ['a tenth of a second', () => noise(0.1, 0.3), 'audio-too-short', /0.10 s/],
    ['20 minutes', () => noise(1200, 0.1), 'audio-too-long', /1200 s long; \d+ s are sure to fit/],
    ['nothing at all', () => new Float32Array(0), 'audio-empty', /no sound at all/],
  ])('%s is refused by both engines before anything is made up', async (name, make, code, message) => {
    const path = writeClip(clips, `${name}.wav`, make());
    for (const engine of ['speech-llm', 'cascade'] as const)
      await expect(
        kit.ask([spoken(path)], { engine, conversationId: `refused-${engine}` }),
        engine,
      ).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('a quiet voice, and one over noise, are heard', async () => {
    const voice = await readClip(sample(france));
    const quiet = writeClip(
      clips,
      'quiet.wav',
      voice.map((value) => value * 0.01),
    );
    const background = noise(4, 0.02);
    voice.forEach((value, i) => {
      background[i + 16_000] = (background[i + 16_000] ?? 0) + value;
    });
    const noisy = writeClip(clips, 'noisy.wav', background);
    for (const path of [quiet, noisy])
      expect(wordErrorRate(textOf(france), (await transcribe(path)).text)).toBeLessThan(0.2);
    const asked = await kit.ask([spoken(quiet)], { engine: 'speech-llm', conversationId: 'quiet' });
    expect(asked.result.finish).not.toBe('cancelled');
  });

  it('Whisper writes down every sample almost word for word', async () => {
    const names = [...written.keys()].map((file) => file.replace(/\.wav$/, ''));
    let errors = 0;
    let words = 0;
    for (const name of names) {
      const { text, language, timings } = await transcribe(sample(name));
      expect(language, name).toBe('en');
      expect(timings.realTimeFactor).toBeGreaterThan(0);
      const count = textOf(name).split(' ').length;
      errors += wordErrorRate(textOf(name), text) * count;
      words += count;
    }
    expect(errors / words).toBeLessThan(0.08);
  });

  it('Whisper writes down more than a minute by windows, with times that only go forward', async () => {
    const names = [address, 'recorded-sense-and-sensibility-0890', 'recorded-sense-and-sensibility-0920'];
    const block = await Promise.all(names.map((name) => readClip(sample(name))));
    const repeats = 4;
    const parts = Array.from({ length: repeats }, () => block).flat();
    const long = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      long.set(part, at);
      at += part.length;
    }
    const { text, segments, seconds } = await transcribe(writeClip(clips, 'long.wav', long));
    expect(seconds).toBeGreaterThan(70);
    const reference = Array.from({ length: repeats }, () => names.map(textOf))
      .flat()
      .join(' ');
    expect(wordErrorRate(reference, text)).toBeLessThan(0.1);
    segments.reduce((before, { start, end }) => {
      expect(start).toBeGreaterThanOrEqual(before);
      expect(end).toBeGreaterThan(start);
      return end;
    }, 0);
    expect(segments.at(-1)?.end).toBeLessThanOrEqual(seconds);
  });

  it('a sentence said over and over is written down as often as it was said', async () => {
    const one = await readClip(sample('recorded-sense-and-sensibility-0890'));
    const times = 12;
    const said = new Float32Array(times * one.length);
    for (let i = 0; i < times; i++) said.set(one, i * one.length);
    const { text, segments, seconds } = await transcribe(writeClip(clips, 'repeated.wav', said));
    const reference = Array.from({ length: times }, () => textOf('recorded-sense-and-sensibility-0890'));
    expect(wordErrorRate(reference.join(' '), text)).toBeLessThan(0.2);
    expect(segments.at(-1)?.end).toBeGreaterThan(seconds - 3);
  });

  const languageSample = (name: string) =>
    join(import.meta.dirname, `../../fixtures/engine/languages/${name}.wav`);

  it.each([
    ['german', 'de', /wohne in berlin/i],
    ['french', 'fr', /merci beaucoup, au revoir/i],
  ])('%s is recognised and written down', async (name, code, words) => {
    const heard = await transcribe(languageSample(name));
    expect(heard.language).toBe(code);
    expect(heard.text).toMatch(words);
  });

  // The reference loses the French sentence's meaning as well, so that only the German one can show the task.
  it('German is translated into English', async () => {
    const translated = await transcribe(languageSample('german'), { task: 'translate' });
    expect(translated.language).toBe('de');
    expect(translated.text).toMatch(/live in berlin/i);
  });

  it('the speech LLM writes down what it hears as well as it can, and a person can stop it', async () => {
    const { text, segments } = await transcribe(sample(france), { engine: 'speech-llm' });
    expect(text).toMatch(/capital of france/i);
    expect(segments).toHaveLength(1);
    const controller = new AbortController();
    controller.abort();
    const request = {
      bundle,
      device: 'cpu',
      path: sample(address),
      language: 'auto',
      task: 'transcribe',
    } as const;
    for (const engine of ['whisper', 'speech-llm'] as const)
      await expect(
        kit.engine.transcribe({ ...request, engine }, {}, controller.signal),
      ).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('an unknown language, a lost file and a file that is no sound are clear errors', async () => {
    await expect(transcribe(sample(france), { language: 'xx' })).rejects.toMatchObject({
      code: 'not-supported',
    });
    await expect(transcribe(join(clips, 'gone.wav'))).rejects.toMatchObject({ code: 'file-missing' });
    await expect(transcribe(join(samples, 'samples.json'))).rejects.toMatchObject({ code: 'audio-format' });
  });

  it('an answer of one token claims no speed', async () => {
    const { result } = await kit.ask([typed('Hi')], { sampling: { ...greedy, maxTokens: 1 } });
    expect(result.usage.completionTokens).toBe(1);
    expect(result.timings.tokensPerSecond).toBe(0);
  });
});
