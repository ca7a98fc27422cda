import { splitWords } from '../text/python-pattern.ts';
import { countCommon, countNGrams } from './n-grams.ts';

const characterOrders = [1, 2, 3, 4, 5, 6];
const wordOrders = [1, 2];
const beta = 2;
const punctuation: ReadonlySet<string> = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/** N-grams of one order: in the hypothesis, in the reference, in both. */
type Matches = readonly [hypothesis: number, reference: number, common: number];

/** What one segment adds to the corpus, order by order: characters first, then words. */
export type ChrfCounts = readonly Matches[];

export function chrfCounts(hypothesis: string, reference: string): ChrfCounts {
  return [
    ...matches([...splitWords(hypothesis).join('')], [...splitWords(reference).join('')], characterOrders),
    ...matches(wordsAndSigns(hypothesis), wordsAndSigns(reference), wordOrders),
  ];
}

/**
 * chrF of a corpus, 0 to 100: the F-score, recall counting twice, of character n-grams up to six. Popović 2015, "chrF:
 * character n-gram F-score for automatic MT evaluation". As sacreBLEU computes it.
 */
export function corpusChrf(segments: readonly ChrfCounts[]): number {
  return fScore(segments.map((segment) => segment.slice(0, characterOrders.length)));
}

/** chrF++: words and pairs of words as well. Popović 2017, "chrF++: words helping character n-grams". */
export function corpusChrfPlusPlus(segments: readonly ChrfCounts[]): number {
  return fScore(segments);
}

function matches(
  hypothesis: readonly string[],
  reference: readonly string[],
  orders: readonly number[],
): Matches[] {
  return orders.map((order) => {
    const found = countNGrams(hypothesis, order);
    const expected = countNGrams(reference, order);
    const inHypothesis = Math.max(0, hypothesis.length - order + 1);
    const inReference = Math.max(0, reference.length - order + 1);
    // An order that the reference has none of says nothing about the hypothesis.
    return [inReference === 0 ? 0 : inHypothesis, inReference, countCommon(found, expected)];
  });
}

function fScore(segments: readonly ChrfCounts[]): number {
  let [precision, recall, orders] = [0, 0, 0];
  (segments[0] ?? []).forEach((_, order) => {
    const sum = (which: 0 | 1 | 2) =>
      segments.reduce((all, segment) => all + (segment[order]?.[which] ?? 0), 0);
    const [hypothesis, reference, common] = [sum(0), sum(1), sum(2)];
    if (hypothesis === 0 || reference === 0) return;
    precision += common / hypothesis;
    recall += common / reference;
    orders++;
  });
  if (precision + recall === 0) return 0;
  const weight = beta ** 2;
  return (100 * (1 + weight) * precision * recall) / (weight * precision + recall) / orders;
}

/** Words, with one sign at the end or else at the beginning as a word of its own. */
function wordsAndSigns(text: string): string[] {
  return splitWords(text).flatMap((word) => {
    const characters = [...word];
    const [first = '', last = ''] = [characters[0], characters.at(-1)];
    if (characters.length === 1) return [word];
    if (punctuation.has(last)) return [characters.slice(0, -1).join(''), last];
    return punctuation.has(first) ? [first, characters.slice(1).join('')] : [word];
  });
}
