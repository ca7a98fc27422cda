import type { MeasuredRow } from '../../evaluation/targets/measure-targets.ts';
import type { TargetRow } from '../../evaluation/targets/rows.ts';
import { cell } from './evaluation-table.ts';
import { textTable } from './text-table.ts';

const formats: Record<TargetRow['unit'], (value: number) => string> = {
  percent: (value) => (100 * value).toFixed(1),
  points: (value) => (100 * value).toFixed(1),
  factor: (value) => value.toFixed(2),
  megabytes: (value) => (value / 1e6).toFixed(1),
};

/** Where and when a table was made. */
export interface TableOrigin {
  readonly bundle: string;
  readonly date: string;
  readonly machine: string;
  readonly device: string;
  /** Who spoke what is synthesised. */
  readonly voices: readonly string[];
}

/** The bundle against its targets: a row a figure, with its 95 % interval in brackets. */
export function targetTable(
  rows: readonly MeasuredRow[],
  { bundle, date, machine, device, voices }: TableOrigin,
): string {
  const tellsWritten = rows.some(({ written }) => written !== null);
  const header = [
    '',
    'items',
    'speech LLM',
    'cascade',
    ...(tellsWritten ? ['written words'] : []),
    'target',
    '',
  ];
  const body = rows.map(({ row, speechLlm, cascade, written, reached }) => {
    const format = formats[row.unit];
    const items = Math.max(speechLlm?.items ?? 0, cascade?.items ?? 0);
    return [
      row.label,
      items === 0 || row.needs.length === 0 ? '' : items.toString(),
      cell(speechLlm ?? undefined, format),
      cell(cascade ?? undefined, format),
      ...(tellsWritten ? [written === null ? '' : cell(written, format)] : []),
      targetCell(row, format),
      reached === null ? '' : reached ? 'reached' : 'missed',
    ];
  });
  const spoken = voices.length === 0 ? '' : `\nSynthesised questions and names: ${voices.join(', ')}`;
  return `${bundle}, ${date}, ${machine}, device ${device}\n${textTable([header, ...body])}${spoken}`;
}

function targetCell({ target }: TargetRow, format: (value: number) => string): string {
  if (target === null) return '–';
  if (target.kind === 'at-most-the-cascade') return '≤ cascade';
  return `${target.kind === 'at-most' ? '≤' : '≥'} ${format(target.value)}`;
}
