import { describe, expect, it } from 'vitest';
import { ParlanceError, samplingSchema } from '../../../src-main/contract/index.ts';
import type { ItemResult } from '../../../src-main/evaluation/suite/item-result.ts';
import { runSuite } from '../../../src-main/evaluation/suite/run-suite.ts';
import { parseSuite } from '../../../src-main/evaluation/suite/suite.ts';
import { summarize } from '../../../src-main/evaluation/suite/summary.ts';
import { EchoEngine } from '../../fixtures/echo-engine.ts';

const suite = (...items: object[]) => parseSuite(JSON.stringify(items), 'suite.json');
const question = { audio: 'q.wav', text: 'What do you hear?', answers: ['sound'] };

function benchOn(engine: EchoEngine, signal = new AbortController().signal) {
  const clip = async (audio: string) => ({ path: `/clips/${audio}`, sha256: audio });
  const sampling = samplingSchema.parse({});
  return { engine, bundle: '/bundle', device: 'cpu' as const, sampling, clip, signal };
}

async function results(
  engine: EchoEngine,
  items: ReturnType<typeof suite>,
  subjects: Array<'whisper' | 'cascade' | 'speech-llm'> = ['whisper', 'cascade', 'speech-llm'],
) {
  const told: ItemResult[] = [];
  await runSuite(items, subjects, benchOn(engine), (result) => told.push(result));
  return told;
}

describe('a suite', () => {
  it('says which item is wrong, and why', () => {
    expect(() => suite(question, { audio: 'b.wav' })).toThrow(/suite\.json is not a suite: item 2, text: /);
    expect(() => suite(question, question)).toThrow(/item 2: q\.wav is there twice/);
    expect(() => parseSuite('[', 'suite.json')).toThrow(/is not a suite/);
    expect(() => suite()).toThrow(ParlanceError);
  });

  it('asks everyone everything that applies, and the LLM the written words as well', async () => {
    const engine = new EchoEngine();
    engine.heardAs = 'What do you here?';
    const told = await results(engine, suite(question, { audio: 'plain.wav', text: 'Plain.' }));
    expect(told.map(({ item, subject }) => `${item} ${subject}`)).toEqual([
      'q.wav written',
      'q.wav whisper',
      'q.wav cascade',
      'q.wav speech-llm',
      'plain.wav whisper',
      'plain.wav cascade',
      'plain.wav speech-llm',
    ]);
    const [written, whisper, cascade] = told;
    expect(written).toMatchObject({ transcript: null, response: { divergence: null } });
    expect(written?.answer?.text).toBe('You said: What do you hear?');
    expect(whisper).toMatchObject({ answer: null, response: null });
    expect(whisper?.transcript?.words).toMatchObject({ substitutions: 1, reference: 4 });
    expect(cascade?.answer).toMatchObject({ text: 'I heard some sound.', isRight: true, follows: true });
    // Six words of the LLM's own reply to the written words, each as likely as not.
    expect(cascade?.response).toMatchObject({ tokens: 6, divergence: 1.5 });
    // One transcript serves Whisper and the cascade.
    expect(engine.transcriptions.map(({ engine: name }) => name)).toEqual([
      ...['whisper', 'speech-llm'],
      ...['whisper', 'speech-llm'],
    ]);
  });

  it('gives the conversation before a question, as sound where it was sound', async () => {
    const engine = new EchoEngine();
    engine.heardAs = 'x';
    const turns = [
      { audio: 'first.wav', text: 'First?', answer: 'Yes.' },
      { text: 'Typed?', answer: 'No.' },
    ];
    await results(engine, suite({ ...question, turns }), ['speech-llm']);
    const [written, heard] = engine.requests;
    const shape = (request: typeof heard) =>
      request?.turns.map((turn) => (turn.type === 'text' ? turn.text : turn.path));
    expect(shape(written)).toEqual(['First?', 'Yes.', 'Typed?', 'No.', 'What do you hear?']);
    expect(shape(heard)).toEqual(['/clips/first.wav', 'Yes.', 'Typed?', 'No.', '/clips/q.wav']);
    expect([written?.engine, heard?.engine]).toEqual(['cascade', 'speech-llm']);
  });

  it('counts sound in which nothing is heard as no words, and leaves out what a bundle cannot do', async () => {
    const deaf = new EchoEngine();
    deaf.transcribe = () => Promise.reject(new ParlanceError('audio-silent', 'Nothing is heard.', 'Speak.'));
    const [silent] = await results(deaf, suite({ audio: 'a.wav', text: 'Two words' }), ['whisper']);
    expect(silent?.transcript?.words).toMatchObject({ deletions: 2, reference: 2 });
    deaf.transcribe = () =>
      Promise.reject(new ParlanceError('not-supported', 'Not trained.', 'Use Whisper.'));
    const [unable] = await results(deaf, suite({ audio: 'a.wav', text: 'Two words' }), ['speech-llm']);
    expect(unable?.transcript).toBeNull();
    deaf.transcribe = () => Promise.reject(new ParlanceError('engine-failed', 'Broken.', 'Report it.'));
    await expect(results(deaf, suite({ audio: 'a.wav', text: 'x' }))).rejects.toMatchObject({
      code: 'engine-failed',
    });
  });

  it('translates into English by the trained task, and into others by asking the LLM', async () => {
    const engine = new EchoEngine();
    engine.heardAs = 'The house is small.';
    const item = { audio: 'h.wav', text: 'Das Haus ist klein.', language: 'de' };
    const english = await results(engine, suite({ ...item, translation: 'The house is small.' }), [
      'whisper',
    ]);
    expect(summarize(english, 'whisper').bleu?.value).toBeCloseTo(100, 9);
    expect(engine.transcriptions.at(-1)).toMatchObject({ task: 'translate', language: 'de' });
    const french = { text: 'La maison est petite.', language: 'fr' };
    const told = await results(engine, suite({ ...item, translation: french }), ['whisper', 'cascade']);
    expect(told.map(({ translation }) => translation?.text)).toEqual([
      'You said: Das Haus ist klein.',
      undefined,
      'I heard some sound.',
    ]);
    expect(engine.requests.at(-1)?.turns[0]).toMatchObject({
      role: 'system',
      text: expect.stringContaining('French'),
    });
  });

  it('sums up over items, and sets the sound against the written words', async () => {
    const engine = new EchoEngine();
    engine.heardAs = 'What do you here?';
    const wrong = { ...question, audio: 'w.wav', answers: ['you said'] };
    const told = await results(engine, suite({ ...question, keep: ['hear', 'what'] }, wrong));
    const written = summarize(told, 'written');
    const cascade = summarize(told, 'cascade');
    expect(cascade.wer).toMatchObject({ value: 0.25, items: 2, interval: { low: 0.25, high: 0.25 } });
    expect(cascade.kept).toEqual({ value: 0.5, interval: null, items: 1 });
    expect([written.success?.value, cascade.success?.value]).toEqual([0.5, 0.5]);
    expect(cascade.successToWritten?.value).toBe(1);
    expect(cascade.perplexity?.value).toBeCloseTo(2, 12);
    expect(cascade.perplexityToWritten?.value).toBeCloseTo(1, 12);
    expect(cascade.divergence?.value).toBe(0.25);
    expect(written).not.toHaveProperty('wer');
    expect(cascade).not.toHaveProperty('bleu');
  });

  it('is stopped by its signal', async () => {
    const engine = new EchoEngine();
    engine.heardAs = 'x';
    const running = runSuite(
      suite(question),
      ['cascade'],
      benchOn(engine, AbortSignal.abort()),
      () => undefined,
    );
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  });
});
