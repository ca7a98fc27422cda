import { expect, it } from 'vitest';
import { isAnswered } from '../../../src-main/evaluation/metrics/answer-success.ts';
import { bootstrap } from '../../../src-main/evaluation/metrics/bootstrap.ts';
import { distinctWords } from '../../../src-main/evaluation/metrics/diversity.ts';
import { errorRate, wordEdits } from '../../../src-main/evaluation/metrics/error-rate.ts';
import { followsInstruction } from '../../../src-main/evaluation/metrics/following-rate.ts';
import { perplexity, tokenLoss } from '../../../src-main/evaluation/metrics/perplexity.ts';
import { isRepetitive } from '../../../src-main/evaluation/metrics/repeat-rate.ts';
import { spokenCharacterEdits, spokenWordEdits } from '../../../src-main/evaluation/metrics/spoken-text.ts';

it('takes the rate of a corpus over all of its words, not over its items', () => {
  const items = [wordEdits('one', 'two'), wordEdits('a b c d e f g h i', 'a b c d e f g h i')];
  expect(errorRate(items)).toBe(0.1);
  expect(errorRate([])).toBeNull();
  expect(errorRate([wordEdits('', 'something')])).toBeNull();
  expect(errorRate([wordEdits('a', 'a b c')])).toBe(2);
});

it('compares text as its language writes it', () => {
  const rate = (said: string, written: string, language: string) =>
    errorRate([spokenWordEdits(said, written, language)]);
  expect(rate('It’s Mr. Smith’s colour, $5!', 'it’s mister smith’s color 5 dollars', 'en')).toBe(0);
  expect(rate('Größer als 3,5 Äpfel', 'größer als 3 5 äpfel', 'de')).toBe(0);
  expect(rate('今天天气很好', '今天天气真好', 'zh')).toBeCloseTo(1 / 6);
  const vowelSigns = spokenCharacterEdits('नमस्ते', 'नमस्ता', 'hi');
  expect(errorRate([vowelSigns])).toBeCloseTo(1 / 6);
  expect(errorRate([spokenCharacterEdits('วันนี้ อากาศดี', 'วันนี้อากาศดี', 'th')])).toBe(0);
});

it('finds an answer among other words, and no part of another word', () => {
  expect(isAnswered('There are seven days.', ['7'], 'en')).toBe(true);
  expect(isAnswered('The capital is Paris.', ['paris', 'Lutetia'], 'en')).toBe(true);
  expect(isAnswered('A parish is small.', ['Paris'], 'en')).toBe(false);
  expect(isAnswered('Seventeen.', ['7'], 'en')).toBe(false);
  expect(isAnswered('首都是巴黎。', ['巴黎'], 'zh')).toBe(true);
  expect(isAnswered('Anything.', ['?'], 'en')).toBe(false);
});

it('knows an answer from the question written down', () => {
  const question = 'What is the capital of France?';
  expect(followsInstruction('what is the capital of france', question, 'en')).toBe(false);
  expect(followsInstruction('What is the capital of Spain?', question, 'en')).toBe(false);
  expect(followsInstruction('The capital of France is Paris.', question, 'en')).toBe(true);
  expect(followsInstruction(' ', question, 'en')).toBe(false);
});

it('notices what goes round in circles', () => {
  expect(isRepetitive('I like it a lot. I like it a lot. I like it a lot.')).toBe(true);
  expect(isRepetitive('no no no no')).toBe(true);
  expect(isRepetitive('I like it a lot. I like it a lot, and so should you.')).toBe(false);
  expect(isRepetitive('')).toBe(false);
});

it('counts different words, and losses token by token', () => {
  expect(distinctWords('The cat, the CAT and another cat.')).toBe(4);
  expect(distinctWords('')).toBe(0);
  expect(perplexity([tokenLoss([-Math.LN2, -Math.LN2]), tokenLoss([-Math.LN2])])).toBeCloseTo(2, 12);
  expect(perplexity([])).toBeNull();
});

it('gives the same interval for the same items, around the value and narrower for more of them', () => {
  const rates = (count: number) => Array.from({ length: count }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const few = bootstrap(rates(20), mean);
  const many = bootstrap(rates(500), mean);
  expect(bootstrap(rates(20), mean)).toEqual(few);
  if (few === null || many === null) throw new Error('no interval');
  // Normal approximation: 0.25 ± 1.96 · sqrt(0.1875 / n).
  expect(many.low).toBeCloseTo(0.212, 1);
  expect(many.high).toBeCloseTo(0.288, 1);
  expect(few.high - few.low).toBeGreaterThan(3 * (many.high - many.low));
  expect(bootstrap([1], mean)).toBeNull();
});
