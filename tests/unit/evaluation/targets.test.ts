import { describe, expect, it } from 'vitest';
import { ParlanceError, samplingSchema } from '../../../src-main/contract/index.ts';
import type { ItemResult } from '../../../src-main/evaluation/suite/item-result.ts';
import { parseSuite, type SuiteItem } from '../../../src-main/evaluation/suite/suite.ts';
import { type FirstWords, firstWordRatio } from '../../../src-main/evaluation/targets/first-words.ts';
import {
  type Journal,
  measureTargets,
  type TargetPlace,
} from '../../../src-main/evaluation/targets/measure-targets.ts';
import { isReached, targetRows } from '../../../src-main/evaluation/targets/rows.ts';
import { EchoEngine } from '../../fixtures/echo-engine.ts';

class Kept<Result> implements Journal<Result> {
  readonly lines = new Map<string, Result>();
  async read({ suite, asks }: { suite: string; asks: string }, { audio }: SuiteItem): Promise<Result | null> {
    return this.lines.get(`${suite} ${asks} ${audio}`) ?? null;
  }
  async write({ suite, asks }: { suite: string; asks: string }, { audio }: SuiteItem, result: Result) {
    this.lines.set(`${suite} ${asks} ${audio}`, result);
  }
}

function placeOn(engine: EchoEngine, suites: Record<string, object[]>) {
  const results = new Kept<readonly ItemResult[]>();
  const firstWords = new Kept<FirstWords>();
  const place: TargetPlace = {
    items: async (suite) => parseSuite(JSON.stringify(suites[suite]), suite),
    bench: () => ({
      engine,
      bundle: '/bundle',
      device: 'cpu',
      sampling: samplingSchema.parse({}),
      clip: async (audio) => ({ path: `/clips/${audio}`, sha256: audio }),
      signal: new AbortController().signal,
    }),
    results,
    firstWords,
    addedBytes: 11.5e6,
    progress: () => undefined,
  };
  return { place, results };
}

const rowsNamed = (...names: string[]) => targetRows.filter(({ name }) => names.includes(name));
const clips = (...texts: string[]) => texts.map((text, number) => ({ audio: `${number}.wav`, text }));

describe('the targets', () => {
  it('have each a name of their own', () => {
    expect(new Set(targetRows.map(({ name }) => name)).size).toBe(targetRows.length);
  });

  it('tell how many more words are lost in noise, clip by clip', async () => {
    const engine = new EchoEngine();
    const suites = { recorded: clips('red sky', 'blue sea'), noise: clips('red sky', 'blue sea') };
    const { place } = placeOn(engine, suites);
    engine.heardAs = 'red sky';
    await measureTargets(rowsNamed('wer'), place);
    engine.heardAs = 'red';
    const { rows } = await measureTargets(rowsNamed('wer', 'noise'), place);
    // Clean: two of four words, as they were found before; in noise: three.
    expect(rows.map(({ speechLlm }) => speechLlm?.value)).toEqual([0.5, 0.25]);
    expect(rows.map(({ reached }) => reached)).toEqual([false, true]);
  });

  it('go on where they were stopped', async () => {
    const engine = new EchoEngine();
    engine.heardAs = 'one';
    const { place, results } = placeOn(engine, { recorded: clips('one', 'two', 'three') });
    const transcribe = engine.transcribe.bind(engine);
    engine.transcribe = (request) => {
      if (request.path.endsWith('2.wav')) return Promise.reject(new Error('stopped'));
      return transcribe(request);
    };
    await expect(measureTargets(rowsNamed('wer'), place)).rejects.toThrow('stopped');
    expect(results.lines.size).toBe(2);
    engine.transcribe = transcribe;
    const before = engine.transcriptions.length;
    const { rows } = await measureTargets(rowsNamed('wer'), place);
    expect(engine.transcriptions.length - before).toBe(2);
    expect(rows[0]?.cascade).toMatchObject({ items: 3, value: 2 / 3 });
  });

  it('measure the LLM’s own reply to recorded speech, which knows no answer', async () => {
    const engine = new EchoEngine();
    const { place } = placeOn(engine, { recorded: clips('one two') });
    const { rows } = await measureTargets(rowsNamed('perplexity'), place);
    expect(rows[0]).toMatchObject({
      speechLlm: { value: 1, items: 1 },
      cascade: { value: 1 },
      reached: true,
    });
    expect(engine.transcriptions).toEqual([]);
    expect(engine.requests.map(({ turns }) => turns.at(-1)?.type)).toEqual(['text']);
  });

  it('set questions against the written words, and conversations apart', async () => {
    const engine = new EchoEngine();
    const turns = [{ audio: 'before.wav', text: 'I am Anna.', answer: 'Hello.' }];
    const questions = [
      { audio: '0.wav', text: 'Is it sound?', answers: ['sound'] },
      { audio: '1.wav', text: 'Who am I?', answers: ['Anna'], turns },
    ];
    const { place } = placeOn(engine, { questions });
    const { rows } = await measureTargets(rowsNamed('questions', 'answered', 'conversations'), place);
    expect(rows.map(({ speechLlm }) => speechLlm?.value)).toEqual([1, 0.5, 0]);
    expect(rows.map(({ written }) => written?.value ?? null)).toEqual([null, 0.5, 0]);
  });

  it('time both engines by the same sound, which none has heard before, in turns', async () => {
    const engine = new EchoEngine();
    const { place } = placeOn(engine, { questions: clips('a', 'b') });
    const { rows } = await measureTargets(rowsNamed('first-word', 'size'), place);
    expect(rows[0]).toMatchObject({
      speechLlm: { value: 1, items: 2 },
      cascade: { value: 1 },
      reached: false,
    });
    expect(rows[1]).toMatchObject({ speechLlm: { value: 11.5e6 }, cascade: null, reached: true });
    expect(engine.requests.map((request) => request.engine)).toEqual([
      ...['cascade', 'speech-llm'],
      ...['cascade', 'speech-llm'],
      ...['speech-llm', 'cascade'],
    ]);
    const sounds = engine.requests.map(({ turns }) => turns[0]?.type === 'audio' && turns[0].sha256);
    expect(new Set(sounds.slice(2)).size).toBe(4);
    for (const hash of sounds) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('have no ratio where a bundle lacks an engine', async () => {
    const engine = new EchoEngine();
    engine.answer = () => Promise.reject(new ParlanceError('not-supported', 'No Whisper.', 'Take another.'));
    const { place } = placeOn(engine, { questions: clips('a') });
    const { rows } = await measureTargets(rowsNamed('first-word'), place);
    expect(rows[0]).toMatchObject({ speechLlm: null, cascade: null, reached: null });
  });
});

it('weighs a ratio and its inverse alike', () => {
  const found = [200, 800].map((milliseconds, number) => ({
    item: `${number}`,
    milliseconds: { cascade: 400, 'speech-llm': milliseconds },
  }));
  expect(firstWordRatio(found, 'speech-llm')?.value).toBeCloseTo(1, 12);
  expect(firstWordRatio(found, 'written')).toBeNull();
});

it('knows when a target is reached', () => {
  const of = (value: number) => ({ value, interval: null, items: 1 });
  const [wer, questions, noise] = rowsNamed('wer', 'questions', 'noise');
  if (!wer || !questions || !noise) throw new Error('a row is missing');
  expect([isReached(wer, of(0.15), null), isReached(wer, of(0.16), of(1))]).toEqual([true, false]);
  expect([isReached(questions, of(0.85), null), isReached(questions, of(0.84), null)]).toEqual([true, false]);
  expect(isReached(noise, of(0.1), of(0.1))).toBe(true);
  expect(isReached(noise, of(0.1), null)).toBeNull();
});
