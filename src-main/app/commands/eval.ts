import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { devicePreferenceSchema, ParlanceError, samplingSchema } from '../../contract/index.ts';
import type { ItemResult } from '../../evaluation/suite/item-result.ts';
import { runSuite } from '../../evaluation/suite/run-suite.ts';
import { nameOf, parseSuite, type SuiteItem } from '../../evaluation/suite/suite.ts';
import { summarize } from '../../evaluation/suite/summary.ts';
import { clipWav } from '../../store/clip-wav.ts';
import { type ChosenBundle, chooseBundle, defaultBundleId } from '../bundle-choice.ts';
import { createEngineOn, createMachine } from '../machine.ts';
import { evaluationTable } from './evaluation-table.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';
import { readSoundFile } from './sound-file.ts';

const optionsSchema = z.object({
  bundle: z.string(),
  engine: z.enum(['speech-llm', 'cascade', 'whisper', 'all']),
  device: devicePreferenceSchema,
  maxTokens: numberOption.pipe(z.number().int().min(1).max(1024)),
  output: z.string().optional(),
});
type Options = z.infer<typeof optionsSchema>;

const explanation = `
SUITE is a JSON array of {"audio", "text", "language"}, the sound's path relative to it. An item that has "answers", "response",
"translation", "keep" or "turns" is asked more; docs/measuring.md says what, and what each figure means.`;

/** `parlance eval`: how good a bundle is, by sounds whose words and answers are known. */
export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('Measures a bundle by sounds whose words and answers are known.')
    .argument('<SUITE>', 'a JSON file of sounds and what is known of them')
    .option('--bundle <ID|DIR>', 'the bundle to be measured', defaultBundleId)
    .option('--engine <NAME>', 'speech-llm, cascade, whisper or all', 'all')
    .option('--device <NAME>', 'auto, cuda, dml, coreml, webgpu or cpu', 'auto')
    .option('--max-tokens <N>', 'the longest answer, in tokens', '64')
    .option('-o, --output <FILE>', 'also write every result there, one JSON object a line')
    .addHelpText('after', explanation);
  runs(command, optionsSchema, async (invocation, options, [suite = '']) => {
    await evaluate(invocation, options, suite);
  });
}

async function evaluate(invocation: Invocation, options: Options, file: string): Promise<void> {
  const { home, output } = invocation;
  const suite = parseSuite(await textOf(file), file);
  const bundle = chooseBundle(home.models, options.bundle);
  const lines: object[] = [];
  const tell = (line: Readonly<Record<string, unknown>>) => {
    lines.push(line);
    output.event(line);
  };
  const began = performance.now();
  const names = suite.map(nameOf);
  const results: ItemResult[] = [];
  await ask(invocation, options, file, suite, bundle, (result) => {
    if (results.at(-1)?.item !== result.item)
      output.note(`${names.indexOf(result.item) + 1}/${names.length} ${result.item}`);
    results.push(result);
    tell({ type: 'item', ...result });
  });
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const summaries = subjects.map((subject) => ({ subject, measures: summarize(results, subject) }));
  if (summaries.every(({ measures }) => Object.keys(measures).length === 0)) throw nothingMeasured(options);
  for (const summary of summaries) tell({ type: 'summary', ...summary });
  const seconds = (performance.now() - began) / 1000;
  tell({ type: 'done', bundle: bundle.manifest.id, suite: file, items: suite.length, seconds });
  output.text(`${evaluationTable(summaries)}\n`);
  if (options.output !== undefined) await writeLines(options.output, lines);
}

async function ask(
  { home, log, signal }: Invocation,
  options: Options,
  file: string,
  suite: readonly SuiteItem[],
  { folder: bundle, manifest }: ChosenBundle,
  on: (result: ItemResult) => void,
): Promise<void> {
  const { engine: named, device, maxTokens } = options;
  // A cache of its own: everything is heard anew, and nothing of it stays.
  const cache = await mkdtemp(join(home.cache, 'evaluation-'));
  const engine = createEngineOn(createMachine({ ...home, cache }, log));
  const clips = new Clips(dirname(resolve(file)), cache);
  const sampling = samplingSchema.parse({ ...manifest.generation, temperature: 0, maxTokens });
  const clip = (audio: string) => clips.of(audio);
  const subjects = named === 'all' ? (['whisper', 'cascade', 'speech-llm'] as const) : [named];
  try {
    await runSuite(suite, subjects, { engine, bundle, device, sampling, signal, clip }, on);
  } finally {
    await engine.shutdown();
    await rm(cache, { recursive: true, force: true });
  }
}

function nothingMeasured({ bundle, engine }: Options): ParlanceError {
  const message = `The bundle ${bundle} has no part that --engine ${engine} needs for this suite.`;
  return new ParlanceError('not-supported', message, 'Name another engine, or another bundle.');
}

/** Sounds of a suite as engines read them; a file becomes a clip once. */
class Clips {
  readonly #suite: string;
  readonly #folder: string;
  readonly #known = new Map<string, Promise<{ path: string; sha256: string }>>();

  constructor(suite: string, folder: string) {
    this.#suite = suite;
    this.#folder = folder;
  }

  of(audio: string): Promise<{ path: string; sha256: string }> {
    const clip = this.#known.get(audio) ?? this.#write(resolve(this.#suite, audio));
    this.#known.set(audio, clip);
    return clip;
  }

  async #write(file: string): Promise<{ path: string; sha256: string }> {
    const wav = clipWav((await readSoundFile(file)).samples);
    const sha256 = createHash('sha256').update(wav).digest('hex');
    const path = join(this.#folder, `${sha256}.wav`);
    await writeFile(path, wav, { mode: 0o600 });
    return { path, sha256 };
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = `${file} cannot be read: ${(cause as Error).message}.`;
    const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'file-missing' : 'file-unreadable';
    throw new ParlanceError(code, message, 'Name a suite: a JSON file.', { cause });
  }
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
