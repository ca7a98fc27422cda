import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DevicePreference, ParlanceError, samplingSchema } from '../../contract/index.ts';
import type { Bench } from '../../evaluation/suite/listening.ts';
import { parseSuite, type SuiteItem } from '../../evaluation/suite/suite.ts';
import { clipWav } from '../../store/clip-wav.ts';
import type { ChosenBundle } from '../bundle-choice.ts';
import { createEngineOn, createMachine } from '../machine.ts';
import type { Invocation } from './invocation.ts';
import { readSoundFile } from './sound-file.ts';

/** Gives a bench for suites in a folder, whose sounds are named relative to it. */
export type BenchFor = (folder: string) => Bench;

/**
 * An engine of its own for an evaluation, as long as `work` takes, with a cache of its own: everything is heard anew, and
 * nothing of it stays. Answers are greedy, with the bundle's own penalty.
 */
export async function onBench(
  { home, log, signal }: Invocation,
  { folder: bundle, manifest }: ChosenBundle,
  { device, maxTokens }: { readonly device: DevicePreference; readonly maxTokens: number },
  work: (benchFor: BenchFor) => Promise<void>,
): Promise<void> {
  const cache = await mkdtemp(join(home.cache, 'evaluation-'));
  const engine = createEngineOn(createMachine({ ...home, cache }, log));
  const sampling = samplingSchema.parse({ ...manifest.generation, temperature: 0, maxTokens });
  try {
    await work((folder) => {
      const clips = new Clips(folder, cache);
      return { engine, bundle, device, sampling, signal, clip: (audio) => clips.of(audio) };
    });
  } finally {
    await engine.shutdown();
    await rm(cache, { recursive: true, force: true });
  }
}

/** Rejects with file-missing, file-unreadable, and invalid-request for what is no suite. */
export async function readSuite(file: string): Promise<SuiteItem[]> {
  return parseSuite(await textOf(file), file);
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
