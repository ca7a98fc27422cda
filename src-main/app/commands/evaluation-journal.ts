import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ParlanceError } from '../../contract/index.ts';
import type { SuiteItem } from '../../evaluation/suite/suite.ts';
import type { Journal } from '../../evaluation/targets/measure-targets.ts';
import type { TargetSuite, TargetTask } from '../../evaluation/targets/rows.ts';

const lineSchema = z.object({ key: z.string(), result: z.unknown() });

/**
 * What was found of each item, one line each in a file a task, written as soon as it is known. A line counts for the same
 * item with the same sound, asked of the same bundle in the same way: `circumstances` says all of that but the item.
 */
export class FileJournal<Result> implements Journal<Result> {
  readonly #folder: string;
  readonly #circumstances: string;
  readonly #sound: (suite: TargetSuite, audio: string) => Promise<string>;
  readonly #anew: boolean;
  readonly #known = new Map<string, Promise<Map<string, unknown>>>();

  /** `sound` gives the hash of a suite's sound; `anew`: what stands there already is not read. */
  constructor(
    folder: string,
    circumstances: string,
    sound: (suite: TargetSuite, audio: string) => Promise<string>,
    anew: boolean,
  ) {
    this.#folder = folder;
    this.#circumstances = circumstances;
    this.#sound = sound;
    this.#anew = anew;
  }

  async read(task: TargetTask, item: SuiteItem): Promise<Result | null> {
    if (this.#anew) return null;
    const file = this.#file(task);
    const known = this.#known.get(file) ?? linesOf(file);
    this.#known.set(file, known);
    const result = (await known).get(await this.#key(task, item));
    // The key holds everything that its shape depends on, the program's version among it.
    return result === undefined ? null : (result as Result);
  }

  async write(task: TargetTask, item: SuiteItem, result: Result): Promise<void> {
    const file = this.#file(task);
    try {
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, `${JSON.stringify({ key: await this.#key(task, item), result })}\n`);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw cause;
      const message = `${file} cannot be written: ${(cause as Error).message}.`;
      throw new ParlanceError('file-unreadable', message, 'Name another folder with --work.', { cause });
    }
  }

  #file({ suite, asks }: TargetTask): string {
    return join(this.#folder, `${suite}-${asks}.jsonl`);
  }

  async #key({ suite }: TargetTask, item: SuiteItem): Promise<string> {
    const sounds = [item.audio, ...(item.turns ?? []).flatMap(({ audio }) => audio ?? [])];
    const hashes = await Promise.all(sounds.map((audio) => this.#sound(suite, audio)));
    const parts = [this.#circumstances, JSON.stringify(item), ...hashes];
    return createHash('sha256').update(parts.join('\n')).digest('hex');
  }
}

/** The last line of a key counts; one that an end in mid-sentence cut short is not there. */
async function linesOf(file: string): Promise<Map<string, unknown>> {
  const known = new Map<string, unknown>();
  for (const line of (await readFile(file, 'utf8').catch(missing)).split('\n')) {
    const parsed = lineSchema.safeParse(parse(line));
    if (parsed.success) known.set(parsed.data.key, parsed.data.result);
  }
  return known;
}

function missing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
