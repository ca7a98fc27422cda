import type { Subject } from '../../evaluation/suite/item-result.ts';
import type { Measure } from '../../evaluation/suite/measured.ts';
import type { MeasureName, Summary } from '../../evaluation/suite/summary.ts';
import { textTable } from './text-table.ts';

const share = (value: number) => (100 * value).toFixed(1);
const points = (value: number) => value.toFixed(1);
const factor = (value: number) => value.toFixed(2);

const rows: ReadonlyArray<readonly [MeasureName, label: string, format: (value: number) => string]> = [
  ['wer', 'word error rate, %', share],
  ['cer', 'character error rate, %', share],
  ['kept', 'listed words kept, %', share],
  ['success', 'questions answered, %', share],
  ['successMultiTurn', '  needing an earlier turn, %', share],
  ['successToWritten', '  ÷ from the written words', factor],
  ['following', 'answers that answer, %', share],
  ['repeated', 'answers that repeat, %', share],
  ['diversity', 'different words an answer', points],
  ['rougeL', 'ROUGE-L to the response, %', share],
  ['perplexity', 'perplexity of the response', factor],
  ['perplexityToWritten', '  ÷ given the written words', factor],
  ['divergence', 'divergence, nats a token', factor],
  ['bleu', 'BLEU', points],
  ['chrf', 'chrF', points],
  ['chrfPlusPlus', 'chrF++', points],
];

const titles: Record<Subject, string> = {
  written: 'written words',
  whisper: 'whisper',
  cascade: 'cascade',
  'speech-llm': 'speech LLM',
};

/** A row a measure, a column a subject: the figure, and in brackets its 95 % interval. */
export function evaluationTable(
  summaries: ReadonlyArray<{ readonly subject: Subject; readonly measures: Summary }>,
): string {
  const known = rows.filter(([name]) => summaries.some(({ measures }) => measures[name] !== undefined));
  const most = (name: MeasureName) =>
    Math.max(...summaries.map(({ measures }) => measures[name]?.items ?? 0)).toString();
  return textTable([
    ['', 'items', ...summaries.map(({ subject }) => titles[subject])],
    ...known.map(([name, label, format]) => [
      label,
      most(name),
      ...summaries.map(({ measures }) => cell(measures[name], format)),
    ]),
  ]);
}

/** A figure and its interval, or a dash. */
export function cell(measure: Measure | undefined, format: (value: number) => string): string {
  if (measure === undefined) return '–';
  const { value, interval } = measure;
  return interval === null
    ? format(value)
    : `${format(value)} [${format(interval.low)}–${format(interval.high)}]`;
}
