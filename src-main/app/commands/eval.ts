import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { devicePreferenceSchema, ParlanceError } from '../../contract/index.ts';
import type { ItemResult } from '../../evaluation/suite/item-result.ts';
import { runSuite } from '../../evaluation/suite/run-suite.ts';
import { nameOf } from '../../evaluation/suite/suite.ts';
import { summarize } from '../../evaluation/suite/summary.ts';
import { chooseBundle, defaultBundleId } from '../bundle-choice.ts';
import { evaluateTargets, targetOptions } from './eval-targets.ts';
import { onBench, readSuite } from './evaluation-bench.ts';
import { evaluationTable } from './evaluation-table.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';

const optionsSchema = z.object({
  bundle: z.string(),
  engine: z.enum(['speech-llm', 'cascade', 'whisper', 'all']),
  device: devicePreferenceSchema,
  maxTokens: numberOption.pipe(z.number().int().min(1).max(1024)),
  output: z.string().optional(),
  ...targetOptions,
});
type Options = z.infer<typeof optionsSchema>;

const explanation = `
Without a SUITE the bundle is held against its targets: see docs/measuring.md, which also says how those suites are made.
SUITE is a JSON array of {"audio", "text", "language"}, the sound's path relative to it. An item that has "answers", "response",
"translation", "keep" or "turns" is asked more; docs/measuring.md says what, and what each figure means.`;

/** `parlance eval`: how good a bundle is, by sounds whose words and answers are known. */
export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('Measures a bundle by sounds whose words and answers are known.')
    .argument('[SUITE]', 'a JSON file of sounds and what is known of them; without it, the targets')
    .option('--bundle <ID|DIR>', 'the bundle to be measured', defaultBundleId)
    .option('--engine <NAME>', 'of a SUITE: speech-llm, cascade, whisper or all', 'all')
    .option('--device <NAME>', 'auto, cuda, dml, coreml, webgpu or cpu', 'auto')
    .option('--max-tokens <N>', 'the longest answer, in tokens', '64')
    .option('-o, --output <FILE>', 'also write every result there, one JSON object a line')
    .option('--rows <NAMES>', 'of the targets: these rows alone, such as wer,names')
    .option('--clips <N>', 'of the targets: so many of each suite, spread over it')
    .option('--suites <DIR>', 'where the suites of the targets are')
    .option('--work <DIR>', 'where what was found is kept, so that the same command goes on')
    .option('--anew', 'nothing that was kept is used')
    .addHelpText('after', explanation);
  runs(command, optionsSchema, async (invocation, options, [suite]) => {
    const tell = teller(invocation);
    if (suite === undefined) await evaluateTargets(invocation, options, tell.line);
    else await evaluate(invocation, options, suite, tell.line);
    if (options.output !== undefined) await writeLines(options.output, tell.lines);
  });
}

type Tell = (line: Readonly<Record<string, unknown>>) => void;

/** What is told is printed with --json, and gathered for -o. */
function teller({ output }: Invocation): { readonly lines: object[]; readonly line: Tell } {
  const lines: object[] = [];
  return {
    lines,
    line(line) {
      lines.push(line);
      output.event(line);
    },
  };
}

async function evaluate(invocation: Invocation, options: Options, file: string, tell: Tell): Promise<void> {
  const { home, output } = invocation;
  const suite = await readSuite(file);
  const bundle = chooseBundle(home.models, options.bundle);
  const began = performance.now();
  const names = suite.map(nameOf);
  const results: ItemResult[] = [];
  const engines =
    options.engine === 'all' ? (['whisper', 'cascade', 'speech-llm'] as const) : [options.engine];
  await onBench(invocation, bundle, options, async (benchFor) => {
    await runSuite(suite, engines, benchFor(dirname(resolve(file))), (result) => {
      if (results.at(-1)?.item !== result.item)
        output.note(`${names.indexOf(result.item) + 1}/${names.length} ${result.item}`);
      results.push(result);
      tell({ type: 'item', ...result });
    });
  });
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const summaries = subjects.map((subject) => ({ subject, measures: summarize(results, subject) }));
  if (summaries.every(({ measures }) => Object.keys(measures).length === 0)) throw nothingMeasured(options);
  for (const summary of summaries) tell({ type: 'summary', ...summary });
  const seconds = (performance.now() - began) / 1000;
  tell({ type: 'done', bundle: bundle.manifest.id, suite: file, items: suite.length, seconds });
  output.text(`${evaluationTable(summaries)}\n`);
}

function nothingMeasured({ bundle, engine }: Options): ParlanceError {
  const message = `The bundle ${bundle} has no part that --engine ${engine} needs for this suite.`;
  return new ParlanceError('not-supported', message, 'Name another engine, or another bundle.');
}

async function writeLines(file: string, lines: readonly object[]): Promise<void> {
  try {
    await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw cause;
    const message = `${file} cannot be written: ${(cause as Error).message}.`;
    throw new ParlanceError('file-unreadable', message, 'Name another place with -o.', { cause });
  }
}
