import { errorRate } from '../metrics/error-rate.ts';
import type { ItemResult, Subject } from '../suite/item-result.ts';
import { type Measure, measureOf } from '../suite/measured.ts';
import { type MeasureName, summarize } from '../suite/summary.ts';
import { type FirstWords, firstWordRatio } from './first-words.ts';

/** Suites that `python -m evaluation.prepare` makes, each in a folder of this name. */
export type TargetSuite =
  | 'recorded'
  | 'recorded-other'
  | 'telephone'
  | 'questions'
  | 'names'
  | 'noise'
  | 'room';

/** What is asked of a suite, one thing at a time, so that each is kept by itself. */
export interface TargetTask {
  readonly suite: TargetSuite;
  readonly asks: 'transcript' | 'answer' | 'response' | 'first-word';
}

/** All that was found out, by task. */
export interface Found {
  results(task: TargetTask): readonly ItemResult[];
  readonly firstWords: readonly FirstWords[];
  /** What the speech LLM adds to what is published; null where the bundle does not say. */
  readonly addedBytes: number | null;
}

export type Target =
  | { readonly kind: 'at-most' | 'at-least'; readonly value: number }
  | { readonly kind: 'at-most-the-cascade' };

export interface TargetRow {
  readonly name: string;
  readonly label: string;
  readonly unit: 'percent' | 'points' | 'factor' | 'megabytes';
  readonly needs: readonly TargetTask[];
  /** Whether the written words have a figure of their own, beside what hears. */
  readonly tellsWritten?: true;
  /** Of the speech LLM; null where a figure is only told. */
  readonly target: Target | null;
  readonly measure: (found: Found, subject: Subject) => Measure | null;
}

const heard = (suite: TargetSuite): TargetTask => ({ suite, asks: 'transcript' });
const answered: TargetTask = { suite: 'questions', asks: 'answer' };
const replied: TargetTask = { suite: 'recorded', asks: 'response' };

function summed(task: TargetTask, name: MeasureName): Pick<TargetRow, 'needs' | 'measure'> {
  const measure = (found: Found, subject: Subject): Measure | null =>
    summarize(found.results(task), subject)[name] ?? null;
  return { needs: [task], measure };
}

/** Word errors beyond those of the same clips as they were recorded. */
function lossAgainstClean(suite: 'noise' | 'room'): Pick<TargetRow, 'needs' | 'measure'> {
  const [hard, clean] = [heard(suite), heard('recorded')];
  const measure = (found: Found, subject: Subject): Measure | null => {
    const of = (task: TargetTask) => found.results(task).filter((result) => result.subject === subject);
    const before = new Map(of(clean).map((result) => [result.item, result.transcript?.words]));
    const pairs = of(hard).flatMap(({ item, transcript }) => {
      const was = before.get(item);
      return transcript === null || was === undefined ? [] : [[transcript.words, was] as const];
    });
    return measureOf(pairs, (drawn) => {
      const rates = [errorRate(drawn.map(([one]) => one)), errorRate(drawn.map(([, one]) => one))];
      const [after = null, ago = null] = rates;
      return after === null || ago === null ? null : after - ago;
    });
  };
  return { needs: [hard, clean], measure };
}

/** The table: what the default is held against, and what is told beside it. */
export const targetRows: readonly TargetRow[] = [
  {
    name: 'wer',
    label: 'word error rate, recorded, %',
    unit: 'percent',
    target: { kind: 'at-most', value: 0.15 },
    ...summed(heard('recorded'), 'wer'),
  },
  {
    name: 'wer-other',
    label: '  harder recordings, %',
    unit: 'percent',
    target: null,
    ...summed(heard('recorded-other'), 'wer'),
  },
  {
    name: 'wer-telephone',
    label: '  telephone prompts, %',
    unit: 'percent',
    target: null,
    ...summed(heard('telephone'), 'wer'),
  },
  {
    name: 'perplexity',
    label: 'perplexity of the LLM’s own reply, ÷ given the written words',
    unit: 'factor',
    target: { kind: 'at-most', value: 1.2 },
    ...summed(replied, 'perplexityToWritten'),
  },
  {
    name: 'questions',
    label: 'questions answered, ÷ from the written words',
    unit: 'factor',
    target: { kind: 'at-least', value: 0.85 },
    ...summed(answered, 'successToWritten'),
  },
  {
    name: 'answered',
    tellsWritten: true,
    label: '  questions answered, %',
    unit: 'percent',
    target: null,
    ...summed(answered, 'success'),
  },
  {
    name: 'conversations',
    tellsWritten: true,
    label: '  those that need an earlier turn, %',
    unit: 'percent',
    target: null,
    ...summed(answered, 'successMultiTurn'),
  },
  {
    name: 'names',
    label: 'names, numbers and rare words kept, %',
    unit: 'percent',
    target: null,
    ...summed(heard('names'), 'kept'),
  },
  {
    name: 'rare',
    label: '  rare words of the harder recordings, %',
    unit: 'percent',
    target: null,
    ...summed(heard('recorded-other'), 'kept'),
  },
  {
    name: 'noise',
    label: 'word errors more in noise at 10 dB, points',
    unit: 'points',
    target: { kind: 'at-most-the-cascade' },
    ...lossAgainstClean('noise'),
  },
  {
    name: 'room',
    label: 'word errors more far off in a room, points',
    unit: 'points',
    target: { kind: 'at-most-the-cascade' },
    ...lossAgainstClean('room'),
  },
  {
    name: 'first-word',
    label: 'first word, ÷ the cascade, same sound',
    unit: 'factor',
    target: { kind: 'at-most', value: 0.5 },
    needs: [{ suite: 'questions', asks: 'first-word' }],
    measure: ({ firstWords }, subject) => firstWordRatio(firstWords, subject),
  },
  {
    name: 'size',
    label: 'adaptor, MB',
    unit: 'megabytes',
    target: { kind: 'at-most', value: 20e6 },
    needs: [],
    measure: ({ addedBytes }, subject) =>
      subject !== 'speech-llm' || addedBytes === null
        ? null
        : { value: addedBytes, interval: null, items: 1 },
  },
];

/** Whether the speech LLM is where it should be; null where there is no target, or nothing to hold against it. */
export function isReached(
  { target }: TargetRow,
  speech: Measure | null,
  cascade: Measure | null,
): boolean | null {
  if (target === null || speech === null) return null;
  if (target.kind === 'at-most-the-cascade') return cascade && speech.value <= cascade.value;
  return target.kind === 'at-most' ? speech.value <= target.value : speech.value >= target.value;
}
