import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { readManifest } from '../../../native-models/bundles/verify.ts';
import { type BuildOrder, runBuild } from '../../models/build-run.ts';
import { createMachine } from '../machine.ts';
import { type Invocation, runs } from './invocation.ts';
import { createProgressLine } from './progress-line.ts';

const buildSchema = z.object({ output: z.string(), weights: z.string().optional() });

/** `parlance bundle build RECIPE.json -o DIR`. */
export function addBundleBuild(bundle: Command): void {
  const build = bundle
    .command('build')
    .description('Builds a bundle from a recipe and the weights that it names.')
    .argument('<RECIPE.json>')
    .option('--weights <DIR>', "where the files lie that the recipe looks for in its folder's `weights/`")
    .requiredOption('-o, --output <DIR>', "the bundle's folder");
  runs(build, buildSchema, (invocation, { output, weights }, [recipe = '']) =>
    makeBundle(invocation, {
      kind: 'build',
      recipe: resolve(recipe),
      sources: weights === undefined ? {} : { weights: resolve(weights) },
      out: resolve(output),
    }),
  );
}

/** Runs an order that makes a bundle in the build process, shows its steps, and tells what was made. */
export async function makeBundle(invocation: Invocation, order: BuildOrder): Promise<void> {
  const { output } = invocation;
  const notes = await carryOut(invocation, order);
  const { id, files } = readManifest(order.out);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  output.event({
    type: 'done',
    bundle: id,
    folder: order.out,
    bytes,
    ...(notes.length > 0 && { notes }),
  });
  for (const note of notes) output.note(`note: ${note}`);
  output.text(`${id} is built: ${inMegabytes(bytes)} in ${order.out}\n`);
}

/** Runs an order in the build process and shows its steps. Gives what a person should know of what was made. */
export async function carryOut(
  { home, log, output, signal }: Invocation,
  order: BuildOrder,
): Promise<string[]> {
  const line = createProgressLine(output);
  const notes: string[] = [];
  try {
    await runBuild(
      createMachine(home, log).place,
      order,
      ({ step, done, total }) =>
        line.show({
          bundle: order.out,
          phase: 'building',
          file: step,
          bytes: done,
          totalBytes: total,
          source: null,
          message: null,
        }),
      signal,
      (note) => notes.push(note),
    );
  } finally {
    line.end();
  }
  return notes;
}

export function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
