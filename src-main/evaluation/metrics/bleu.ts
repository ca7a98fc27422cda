import { countCommon, countNGrams } from './n-grams.ts';
import { tokenize13a } from './tokenize-13a.ts';

const orders = [1, 2, 3, 4];

/** What one segment adds to the corpus: lengths in tokens, and for each order n-grams in all and those in the reference. */
export interface BleuCounts {
  readonly length: number;
  readonly referenceLength: number;
  readonly total: readonly number[];
  readonly correct: readonly number[];
}

export function bleuCounts(hypothesis: string, reference: string): BleuCounts {
  const found = tokenize13a(hypothesis);
  const expected = tokenize13a(reference);
  return {
    length: found.length,
    referenceLength: expected.length,
    total: orders.map((order) => Math.max(0, found.length - order + 1)),
    correct: orders.map((order) => countCommon(countNGrams(found, order), countNGrams(expected, order))),
  };
}

/**
 * BLEU of a corpus with one reference a segment, 0 to 100. Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of
 * Machine Translation"; tokens as 13a, an order without a match is smoothed by halving ("exp": Chen & Cherry 2014,
 * method 3): sacreBLEU's defaults (Post 2018).
 */
export function corpusBleu(segments: readonly BleuCounts[]): number {
  const sum = (of: (segment: BleuCounts) => number) => segments.reduce((all, one) => all + of(one), 0);
  const length = sum((segment) => segment.length);
  const referenceLength = sum((segment) => segment.referenceLength);
  const correct = orders.map((_, i) => sum((segment) => segment.correct[i] ?? 0));
  const total = orders.map((_, i) => sum((segment) => segment.total[i] ?? 0));
  if (correct.every((count) => count === 0) || total.some((count) => count === 0)) return 0;
  let smoothing = 1;
  let logarithms = 0;
  orders.forEach((_, i) => {
    const count = correct[i] ?? 0;
    if (count === 0) smoothing *= 2;
    logarithms += Math.log((100 * (count === 0 ? 1 / smoothing : count)) / (total[i] ?? 1));
  });
  const brevity = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1;
  return brevity * Math.exp(logarithms / orders.length);
}
