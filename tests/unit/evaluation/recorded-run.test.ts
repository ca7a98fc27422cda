import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { ItemResult } from '../../../src-main/evaluation/suite/item-result.ts';
import { parseSuite } from '../../../src-main/evaluation/suite/suite.ts';
import { summarize } from '../../../src-main/evaluation/suite/summary.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/evaluation/${name}`, import.meta.url), 'utf8');
const lines = fixture('results.jsonl')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));
const results: ItemResult[] = lines.filter(({ type }) => type === 'item');

// The same file is what native-models/training/tests/evaluation measures again with the public packages.
it.each(lines.filter(({ type }) => type === 'summary'))('sums up $subject as it did', (line) => {
  const { subject, measures } = line;
  expect(summarize(results, subject)).toEqual(measures);
});

it('is of the suite that lies beside it', () => {
  const names = parseSuite(fixture('suite.json'), 'suite.json').map(({ id }) => id);
  expect([...new Set(results.map(({ item }) => item))]).toEqual(names);
});
