import type { ItemResult } from '../suite/item-result.ts';
import type { Bench } from '../suite/listening.ts';
import type { Measure } from '../suite/measured.ts';
import { type Asks, runSuite } from '../suite/run-suite.ts';
import { nameOf, type SuiteItem } from '../suite/suite.ts';
import { type FirstWords, measureFirstWords } from './first-words.ts';
import { type Found, isReached, type TargetRow, type TargetSuite, type TargetTask } from './rows.ts';

/** What was found out before about one item, so that an evaluation goes on where it was stopped. */
export interface Journal<Result> {
  read(task: TargetTask, item: SuiteItem): Promise<Result | null>;
  write(task: TargetTask, item: SuiteItem, result: Result): Promise<void>;
}

export interface TargetPlace {
  readonly items: (suite: TargetSuite) => Promise<readonly SuiteItem[]>;
  /** With sounds relative to this suite. */
  readonly bench: (suite: TargetSuite) => Bench;
  readonly results: Journal<readonly ItemResult[]>;
  readonly firstWords: Journal<FirstWords>;
  /** See `Found`. */
  readonly addedBytes: number | null;
  readonly progress: (task: TargetTask, done: number, all: number) => void;
}

/** A row as measured: null is what does not apply, or what the bundle has no part for. */
export interface MeasuredRow {
  readonly row: TargetRow;
  readonly speechLlm: Measure | null;
  readonly cascade: Measure | null;
  readonly written: Measure | null;
  readonly reached: boolean | null;
}

const mostFirstWords = 24;

/** Measures what the rows need, each task once, and reads the rows off. Throws what an engine throws. */
export async function measureTargets(
  rows: readonly TargetRow[],
  place: TargetPlace,
): Promise<{ rows: MeasuredRow[]; found: Found; tasks: readonly TargetTask[] }> {
  const tasks = tasksOf(rows);
  const results = new Map<string, readonly ItemResult[]>();
  const firstWords: FirstWords[] = [];
  for (const task of tasks) {
    if (task.asks === 'first-word') firstWords.push(...(await firstWordsOf(task, place)));
    else results.set(keyOf(task), await resultsOf(task, place));
  }
  const { addedBytes } = place;
  const found: Found = { results: (task) => results.get(keyOf(task)) ?? [], firstWords, addedBytes };
  return { rows: rows.map((row) => measuredRow(row, found)), found, tasks };
}

function tasksOf(rows: readonly TargetRow[]): readonly TargetTask[] {
  const needed = rows.flatMap(({ needs }) => needs);
  return [...new Map(needed.map((task) => [keyOf(task), task])).values()];
}

function keyOf({ suite, asks }: TargetTask): string {
  return `${suite}/${asks}`;
}

async function resultsOf(task: TargetTask, place: TargetPlace): Promise<ItemResult[]> {
  const items = await place.items(task.suite);
  const asks: Asks = {
    ...{ transcript: false, answer: false, response: false, translation: false },
    [task.asks]: true,
  };
  const all: ItemResult[] = [];
  for (const [number, item] of items.entries()) {
    let results = await place.results.read(task, item);
    if (results === null) {
      const told: ItemResult[] = [];
      const bench = place.bench(task.suite);
      await runSuite(
        [item],
        ['cascade', 'speech-llm'],
        bench,
        (result) => told.push(result),
        () => asks,
      );
      await place.results.write(task, item, told);
      results = told;
    }
    all.push(...results);
    place.progress(task, number + 1, items.length);
  }
  return all;
}

/** Questions that stand alone, spread over the suite: a conversation's first turns would be heard before. */
async function firstWordsOf(task: TargetTask, place: TargetPlace): Promise<FirstWords[]> {
  const alone = (await place.items(task.suite)).filter(({ turns }) => turns === undefined);
  const every = Math.max(1, Math.floor(alone.length / mostFirstWords));
  const items = alone.filter((_, number) => number % every === 0).slice(0, mostFirstWords);
  const known = await Promise.all(items.map((item) => place.firstWords.read(task, item)));
  const found = known.filter((one) => one !== null);
  const missing = items.filter((_, number) => known[number] === null);
  const byName = new Map(missing.map((item) => [nameOf(item), item]));
  const fresh: FirstWords[] = [];
  await measureFirstWords(missing, place.bench(task.suite), async (one) => {
    const item = byName.get(one.item);
    if (item !== undefined) await place.firstWords.write(task, item, one);
    fresh.push(one);
    place.progress(task, found.length + fresh.length, items.length);
  });
  return [...found, ...fresh];
}

function measuredRow(row: TargetRow, found: Found): MeasuredRow {
  const [speechLlm, cascade] = [row.measure(found, 'speech-llm'), row.measure(found, 'cascade')];
  const written = row.tellsWritten === true ? row.measure(found, 'written') : null;
  return { row, speechLlm, cascade, written, reached: isReached(row, speechLlm, cascade) };
}
