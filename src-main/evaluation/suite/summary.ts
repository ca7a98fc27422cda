import { corpusBleu } from '../metrics/bleu.ts';
import { corpusChrf, corpusChrfPlusPlus } from '../metrics/chrf.ts';
import { errorRate } from '../metrics/error-rate.ts';
import { perplexity } from '../metrics/perplexity.ts';
import type { AnswerResult, ItemResult, Subject } from './item-result.ts';
import { type Measure, measureOf } from './measured.ts';

/** What a subject made of an item, and what the LLM made of its written words. */
interface Pair {
  readonly own: ItemResult;
  readonly written: ItemResult | null;
}

type Measured = (pairs: readonly Pair[]) => Measure | null;

/** A statistic of what `part` finds in the items; those where it finds nothing do not count. */
function measured<Part>(
  part: (pair: Pair) => Part | null | undefined,
  statistic: (parts: readonly Part[]) => number | null,
): Measured {
  return (pairs) => {
    const parts: Part[] = [];
    for (const pair of pairs) {
      const found = part(pair) ?? null;
      if (found !== null) parts.push(found);
    }
    return measureOf(parts, statistic);
  };
}

function meanOfAnswers(value: (answer: AnswerResult) => number | boolean | null): Measured {
  const part = ({ own: { answer } }: Pair) => (answer === null ? null : value(answer));
  return measured(part, (values) => ratioOfSums(values.map((one) => [Number(one), 1])));
}

function ratioOfSums(parts: ReadonlyArray<readonly [number, number]>): number | null {
  let [above, below] = [0, 0];
  for (const [a, b] of parts) {
    above += a;
    below += b;
  }
  return below === 0 ? null : above / below;
}

/** Rates are shares of 1; BLEU and chrF go to 100; perplexities and ratios are factors; divergences are nats a token. */
const measures = {
  wer: measured(({ own }) => own.transcript?.words, errorRate),
  cer: measured(({ own }) => own.transcript?.characters, errorRate),
  kept: measured(
    ({ own: { transcript } }) =>
      transcript?.kept && ([transcript.kept.found, transcript.kept.listed] as const),
    ratioOfSums,
  ),
  success: meanOfAnswers(({ isRight }) => isRight),
  successMultiTurn: measured(
    ({ own: { isMultiTurn, answer } }) => (isMultiTurn ? answer?.isRight : null),
    (right) => ratioOfSums(right.map((one) => [Number(one), 1])),
  ),
  /** Of the questions that the LLM may answer: right ones, by those that are right from the written words. */
  successToWritten: measured(({ own, written }) => {
    const [right, rightWritten] = [own.answer?.isRight ?? null, written?.answer?.isRight ?? null];
    return right === null || rightWritten === null ? null : ([Number(right), Number(rightWritten)] as const);
  }, ratioOfSums),
  following: meanOfAnswers(({ follows }) => follows),
  repeated: meanOfAnswers(({ isRepetitive }) => isRepetitive),
  diversity: meanOfAnswers(({ distinctWords }) => distinctWords),
  rougeL: meanOfAnswers(({ rougeL }) => rougeL),
  perplexity: measured(({ own }) => own.response, perplexity),
  perplexityToWritten: measured(
    ({ own, written }) => own.response && written?.response && ([own.response, written.response] as const),
    (pairs) => {
      const own = perplexity(pairs.map(([response]) => response));
      const written = perplexity(pairs.map(([, response]) => response));
      return own === null || written === null ? null : own / written;
    },
  ),
  divergence: measured(({ own: { response } }) => {
    if (response === null || response.divergence === null) return null;
    return [response.divergence, response.tokens] as const;
  }, ratioOfSums),
  bleu: measured(({ own }) => own.translation?.bleu, corpusBleu),
  chrf: measured(({ own }) => own.translation?.chrf, corpusChrf),
  chrfPlusPlus: measured(({ own }) => own.translation?.chrf, corpusChrfPlusPlus),
} satisfies Record<string, Measured>;

export type MeasureName = keyof typeof measures;

/** Of one subject; a measure that no item allows is left out. */
export type Summary = Readonly<Partial<Record<MeasureName, Measure>>>;

export function summarize(results: readonly ItemResult[], subject: Subject): Summary {
  const written = results.filter((result) => result.subject === 'written');
  const byItem = new Map(written.map((result) => [result.item, result]));
  const pairs = results
    .filter((result) => result.subject === subject)
    .map((own) => ({ own, written: subject === 'written' ? null : (byItem.get(own.item) ?? null) }));
  const found = Object.entries(measures).map(([name, measure]) => [name, measure(pairs)] as const);
  return Object.fromEntries(found.filter(([, measure]) => measure !== null)) as Summary;
}
