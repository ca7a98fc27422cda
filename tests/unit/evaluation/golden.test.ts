import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bleuCounts, corpusBleu } from '../../../src-main/evaluation/metrics/bleu.ts';
import { chrfCounts, corpusChrf, corpusChrfPlusPlus } from '../../../src-main/evaluation/metrics/chrf.ts';
import { characterEdits, wordEdits } from '../../../src-main/evaluation/metrics/error-rate.ts';
import { rougeL } from '../../../src-main/evaluation/metrics/rouge-l.ts';
import { tokenize13a } from '../../../src-main/evaluation/metrics/tokenize-13a.ts';
import { normalizeBasic } from '../../../src-main/evaluation/text/basic-normalizer.ts';
import { normalizeEnglish } from '../../../src-main/evaluation/text/english-normalizer.ts';

const editsSchema = z.object({
  substitutions: z.number(),
  deletions: z.number(),
  insertions: z.number(),
  reference: z.number(),
});
const goldenSchema = z.object({
  normalised: z.array(
    z.object({
      text: z.string(),
      english: z.string(),
      basic: z.string().optional(),
      withoutDiacritics: z.string().optional(),
      splitLetters: z.string().optional(),
    }),
  ),
  pairs: z.array(
    z.object({
      reference: z.string(),
      hypothesis: z.string(),
      words: editsSchema.nullable(),
      characters: editsSchema.nullable(),
      rougeL: z.number(),
    }),
  ),
  corpora: z.array(
    z.object({
      hypotheses: z.array(z.string()),
      references: z.array(z.string()),
      tokens: z.array(z.string()),
      bleu: z.number(),
      chrf: z.number(),
      chrfPlusPlus: z.number(),
    }),
  ),
});
const golden = goldenSchema.parse(
  JSON.parse(readFileSync(new URL('../../fixtures/evaluation/golden.json', import.meta.url), 'utf8')),
);

describe('normalised text, against the public implementation', () => {
  it.each(golden.normalised)('$text', ({ text, english, basic, withoutDiacritics, splitLetters }) => {
    expect(normalizeEnglish(text)).toBe(english);
    if (basic === undefined) return;
    expect(normalizeBasic(text)).toBe(basic);
    expect(normalizeBasic(text, { removeDiacritics: true })).toBe(withoutDiacritics);
    expect(normalizeBasic(text, { splitLetters: true })).toBe(splitLetters);
  });
});

describe('errors and common words, against jiwer and rouge-score', () => {
  it.each(golden.pairs)('$reference → $hypothesis', ({ reference, hypothesis, ...expected }) => {
    if (expected.words !== null) expect(wordEdits(reference, hypothesis)).toEqual(expected.words);
    if (expected.characters !== null)
      expect(characterEdits(reference, hypothesis)).toEqual(expected.characters);
    expect(rougeL(reference, hypothesis)).toBeCloseTo(expected.rougeL, 12);
  });
});

describe('translations, against sacreBLEU', () => {
  it.each(golden.corpora)('$hypotheses', ({ hypotheses, references, tokens, ...scores }) => {
    expect(hypotheses.map((line) => tokenize13a(line).join(' '))).toEqual(tokens);
    const pairs = hypotheses.map((hypothesis, i) => [hypothesis, references[i] ?? ''] as const);
    expect(corpusBleu(pairs.map(([found, expected]) => bleuCounts(found, expected)))).toBeCloseTo(
      scores.bleu,
      9,
    );
    const counts = pairs.map(([found, expected]) => chrfCounts(found, expected));
    expect(corpusChrf(counts)).toBeCloseTo(scores.chrf, 9);
    expect(corpusChrfPlusPlus(counts)).toBeCloseTo(scores.chrfPlusPlus, 9);
  });
});
