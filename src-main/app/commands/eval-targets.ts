import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
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
export async function evaluateTargets(
  invocation: Invocation,
  options: Options,
  tell: (line: Readonly<Record<string, unknown>>) => void,
): Promise<void> {
  const { home, output } = invocation;
  const rows = chosenRows(options.rows);
  const bundle = chooseBundle(home.models, options.bundle);
  const suites = resolve(options.suites ?? join(cache, 'suites'));
  const work = resolve(options.work ?? join(home.folder, 'evaluation'));
  if (options.anew) await rm(work, { recursive: true, force: true });
  const folderOf = (suite: TargetSuite) => join(suites, suite);
  const circumstances = JSON.stringify([
    appVersion(),
    digestOf(bundle.folder),
    options.device,
    options.maxTokens,
  ]);
  const began = performance.now();
  await onBench(invocation, bundle, options, async (benchFor) => {
    const known = new Map<TargetSuite, ReturnType<typeof benchFor>>();
    const bench = (suite: TargetSuite) => {
      const one = known.get(suite) ?? benchFor(folderOf(suite));
      known.set(suite, one);
      return one;
    };
    const sound = async (suite: TargetSuite, audio: string) => (await bench(suite).clip(audio)).sha256;
    const measured = await measureTargets(rows, {
      items: async (suite) => spread(await suiteOf(folderOf(suite)), options.clips),
      bench,
      results: new FileJournal(work, circumstances, sound),
      firstWords: new FileJournal(work, circumstances, sound),
      addedBytes: addedBytesOf(bundle),
      progress: ({ suite, asks }, done, all) => output.note(`${suite}, ${asks}: ${done}/${all}`),
    });
    for (const task of measured.tasks) {
      for (const result of measured.found.results(task)) tell({ type: 'item', ...task, ...result });
    }
    for (const one of measured.found.firstWords) tell({ type: 'first-word', ...one });
    for (const { row, ...figures } of measured.rows) {
      const { name, label, unit, target } = row;
      tell({ type: 'row', row: name, label: label.trim(), unit, target, ...figures });
    }
    const [processor] = cpus();
    const about = {
      bundle: bundle.manifest.id,
      date: new Date().toISOString().slice(0, 10),
      machine: `${processor?.model ?? 'unknown processor'}, ${cpus().length} logical cores`,
      device: options.device,
    };
    tell({ type: 'done', ...about, seconds: (performance.now() - began) / 1000 });
    output.text(`${targetTable(measured.rows, about)}\n`);
  });
}

function chosenRows(names: string | undefined): readonly TargetRow[] {
  if (names === undefined) return targetRows;
  const wanted = names.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !targetRows.some((row) => row.name === name));
  if (unknown.length > 0) {
    const known = targetRows.map(({ name }) => name).join(', ');
    throw new ParlanceError(
      'invalid-request',
      `There is no row ${unknown.join(', ')}.`,
      `The rows are ${known}.`,
    );
  }
  return targetRows.filter(({ name }) => wanted.includes(name));
}

async function suiteOf(folder: string): Promise<SuiteItem[]> {
  const file = join(folder, 'suite.json');
  if (existsSync(file)) return readSuite(file);
  throw new ParlanceError(
    'file-missing',
    `The suite ${file} is not there.`,
    'Make it with `python -m evaluation.prepare` in native-models/training; docs/measuring.md tells more.',
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
