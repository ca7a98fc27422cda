import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type DevicePreference, ParlanceError } from '../../contract/index.ts';
import type { SuiteItem } from '../../evaluation/suite/suite.ts';
import { measureTargets } from '../../evaluation/targets/measure-targets.ts';
import { type TargetRow, type TargetSuite, targetRows } from '../../evaluation/targets/rows.ts';
import { type ChosenBundle, chooseBundle } from '../bundle-choice.ts';
import { appFolder } from '../entries.ts';
import { appVersion } from '../version.ts';
import { onBench, readSuite } from './evaluation-bench.ts';
import { FileJournal } from './evaluation-journal.ts';
import { type Invocation, numberOption } from './invocation.ts';
import { targetTable } from './target-table.ts';

/** Options that a SUITE has no use for. */
export const targetOptions = {
  rows: z.string().optional(),
  clips: numberOption.pipe(z.number().int().min(1)).optional(),
  suites: z.string().optional(),
  work: z.string().optional(),
  anew: z.literal(true).optional(),
};

type Tell = (line: Readonly<Record<string, unknown>>) => void;
type Measured = Awaited<ReturnType<typeof measureTargets>>;

interface Options {
  readonly bundle: string;
  readonly device: DevicePreference;
  readonly maxTokens: number;
  readonly rows?: string | undefined;
  readonly clips?: number | undefined;
  readonly suites?: string | undefined;
  readonly work?: string | undefined;
  readonly anew?: true | undefined;
}

const cache = join(appFolder, '.cache', 'evaluation');

/** Holds a bundle against the targets; what was found before is taken from the work folder. */
export async function evaluateTargets(invocation: Invocation, options: Options, tell: Tell): Promise<void> {
  const { home, output } = invocation;
  const bundle = chooseBundle(home.models, options.bundle);
  const suites = resolve(options.suites ?? join(cache, 'suites'));
  const rows = chosenRows(options.rows, suites, (left) => output.note(left));
  const work = resolve(options.work ?? join(home.folder, 'evaluation'));
  const folderOf = (suite: TargetSuite) => join(suites, suite);
  const circumstances = JSON.stringify([
    appVersion(),
    digestOf(bundle.folder),
    options.device,
    options.maxTokens,
  ]);
  const anew = options.anew === true;
  const began = performance.now();
  const voices = new Set<string>();
  await onBench(invocation, bundle, options, async (benchFor) => {
    const known = new Map<TargetSuite, ReturnType<typeof benchFor>>();
    const bench = (suite: TargetSuite) => {
      const one = known.get(suite) ?? benchFor(folderOf(suite));
      known.set(suite, one);
      return one;
    };
    const sound = async (suite: TargetSuite, audio: string) => (await bench(suite).clip(audio)).sha256;
    const measured = await measureTargets(rows, {
      items: async (suite) => {
        const items = spread(await suiteOf(folderOf(suite)), options.clips);
        for (const { voice } of items) if (voice !== undefined) voices.add(voice);
        return items;
      },
      bench,
      results: new FileJournal(work, circumstances, sound, anew),
      firstWords: new FileJournal(work, circumstances, sound, anew),
      addedBytes: addedBytesOf(bundle),
      progress: ({ suite, asks }, done, all) => output.note(`${suite}, ${asks}: ${done}/${all}`),
    });
    const about = {
      bundle: bundle.manifest.id,
      date: new Date().toISOString().slice(0, 10),
      machine: thisMachine(),
      device: options.device,
      voices: [...voices],
    };
    report(measured, tell);
    tell({ type: 'done', ...about, seconds: (performance.now() - began) / 1000 });
    output.text(`${targetTable(measured.rows, about)}\n`);
  });
}

/** What was found of each item, then the rows. */
function report({ tasks, found, rows }: Measured, tell: Tell): void {
  for (const task of tasks) {
    for (const result of found.results(task)) tell({ type: 'item', ...task, ...result });
  }
  for (const one of found.firstWords) tell({ type: 'first-word', ...one });
  for (const { row, ...figures } of rows) {
    const { name, label, unit, target } = row;
    tell({ type: 'row', row: name, label: label.trim(), unit, target, ...figures });
  }
}

function thisMachine(): string {
  const [processor] = cpus();
  return `${processor?.model ?? 'unknown processor'}, ${cpus().length} logical cores`;
}

/** Those named; without names all whose suites are there. Throws invalid-request and file-missing. */
function chosenRows(
  names: string | undefined,
  suites: string,
  tellLeftOut: (line: string) => void,
): readonly TargetRow[] {
  if (names !== undefined) return rowsNamed(names.split(',').map((name) => name.trim()));
  const missing = new Set(
    targetRows
      .flatMap(({ needs }) => needs.map(({ suite }) => suite))
      .filter((suite) => !existsSync(join(suites, suite, 'suite.json'))),
  );
  const possible = targetRows.filter(({ needs }) => !needs.some(({ suite }) => missing.has(suite)));
  if (possible.every(({ needs }) => needs.length === 0)) throw suiteMissing(suites);
  if (missing.size > 0) tellLeftOut(`left out, for these suites are not there: ${[...missing].join(', ')}`);
  return possible;
}

function rowsNamed(wanted: readonly string[]): readonly TargetRow[] {
  const unknown = wanted.filter((name) => !targetRows.some((row) => row.name === name));
  if (unknown.length === 0) return targetRows.filter(({ name }) => wanted.includes(name));
  const known = targetRows.map(({ name }) => name).join(', ');
  const message = `There is no row ${unknown.join(', ')}.`;
  throw new ParlanceError('invalid-request', message, `The rows are ${known}.`);
}

async function suiteOf(folder: string): Promise<SuiteItem[]> {
  const file = join(folder, 'suite.json');
  if (!existsSync(file)) throw suiteMissing(file);
  return readSuite(file);
}

function suiteMissing(place: string): ParlanceError {
  return new ParlanceError(
    'file-missing',
    `There is no suite at ${place}.`,
    '`npm run eval` makes them, or `python -m evaluation.prepare` in native-models/training.',
  );
}

/** So many items, evenly spread over all: suites begin with items of one kind. */
function spread(items: readonly SuiteItem[], most: number | undefined): readonly SuiteItem[] {
  if (most === undefined || most >= items.length) return items;
  return items.filter(
    (_, at) => Math.floor((at * most) / items.length) !== Math.floor(((at - 1) * most) / items.length),
  );
}

/** The manifest has the hash of every part; a published model's has none, but is the only thing that it has. */
function digestOf(bundle: string): string {
  const manifest = ['bundle.json', 'config.json'].map((name) => join(bundle, name)).find(existsSync);
  return createHash('sha256')
    .update(manifest === undefined ? bundle : readFileSync(manifest))
    .digest('hex');
}

/** The adaptor as it is shipped, LoRA included; of a bundle made elsewhere, its adaptor's files. */
function addedBytesOf({ manifest }: ChosenBundle): number | null {
  const { id, adaptor, files } = manifest;
  if (adaptor === null) return null;
  const shipped =
    adaptor.from === undefined ? null : join(appFolder, 'resources', 'bundles', id, adaptor.from);
  if (shipped !== null && existsSync(shipped)) return statSync(shipped).size;
  const own = files.filter(({ part }) => part === 'adaptor');
  return own.length === 0 ? null : own.reduce((sum, { bytes }) => sum + bytes, 0);
}
