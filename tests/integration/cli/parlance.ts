import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { usageSchema } from '../../../src-main/contract/index.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../bin/parlance.mjs', import.meta.url));
export const sample = (name: string) =>
  fileURLToPath(new URL(`../../../resources/samples/${name}`, import.meta.url));

/** The default bundle, as `npm test` built it. */
export function testBundle(): string {
  const bundle = process.env.PARLANCE_TEST_BUNDLE;
  if (!bundle || !existsSync(join(bundle, 'bundle.json'))) {
    throw new Error('PARLANCE_TEST_BUNDLE does not name a built bundle; `npm test` builds one and sets it.');
  }
  return bundle;
}

/** A home that has the default bundle and nothing else. */
export function homeWithBundle(home = temporaryFolder()): string {
  mkdirSync(join(home, 'models'));
  symlinkSync(testBundle(), join(home, 'models', 'parlance-mini'), 'dir');
  return home;
}

const eventSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  message: z.string().nullable().optional(),
  hint: z.string().nullable().optional(),
  conversation: z.string().optional(),
  usage: usageSchema.nullable().optional(),
  timings: z.record(z.string(), z.number()).nullable().optional(),
  audio: z.looseObject({ sha256: z.string() }).nullable().optional(),
});
export type Line = z.infer<typeof eventSchema>;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** With `--json`: every line of standard output. */
  readonly events: Line[];
  readonly last: Line;
}

interface Options {
  /** Called with every piece of standard output. */
  readonly onOutput?: (child: { kill(signal: NodeJS.Signals): boolean }, output: string) => void;
  /** Runs it as this user. */
  readonly uid?: number;
  readonly environment?: Record<string, string>;
}

function linesOf(stdout: string): Line[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.flatMap((line) => {
    try {
      return [eventSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

/** Runs the command line as a person does, in a process of its own. */
export async function parlance(home: string, parameters: string[], options: Options = {}): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...parameters], {
    env: { ...process.env, ...options.environment, PARLANCE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  child.stdout.on('data', (chunk: Buffer) => options.onOutput?.(child, chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const events = linesOf(stdout);
  return { code, stdout, stderr, events, last: events.at(-1) ?? { type: 'nothing' } };
}
