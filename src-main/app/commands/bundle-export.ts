import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { chooseBundle } from '../bundle-choice.ts';
import { carryOut, inMegabytes } from './bundle-build.ts';
import { type Invocation, runs } from './invocation.ts';

const exportSchema = z.object({
  format: z.enum(['ultravox']),
  recipe: z.string().optional(),
  weights: z.string().optional(),
  output: z.string(),
});

/** `parlance bundle export DIR --format ultravox --recipe RECIPE.json -o FOLDER`. */
export function addBundleExport(bundle: Command): void {
  const command = bundle
    .command('export')
    .description('Writes a bundle as a Hugging Face folder, which transformers and vLLM load.')
    .argument('<DIR>', 'a bundle, by its folder or its id')
    .requiredOption('--format <FORMAT>', 'ultravox')
    .option('--recipe <RECIPE.json>', 'the recipe that the bundle was built from')
    .option('--weights <DIR>', "where the files lie that the recipe looks for in its folder's `weights/`")
    .requiredOption('-o, --output <FOLDER>', 'the new folder');
  runs(command, exportSchema, writeFolder);
}

async function writeFolder(
  invocation: Invocation,
  { format, recipe, weights, output: given }: z.output<typeof exportSchema>,
  [choice = '']: string[],
): Promise<void> {
  const { output, home } = invocation;
  const { folder, manifest } = chooseBundle(home.models, choice);
  const out = resolve(given);
  await carryOut(invocation, {
    kind: 'export-ultravox',
    bundle: folder,
    recipe: recipe === undefined ? null : resolve(recipe),
    sources: weights === undefined ? {} : { weights: resolve(weights) },
    out,
  });
  const bytes = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
  output.event({ type: 'done', bundle: manifest.id, format, folder: out, bytes });
  output.text(`${manifest.id} is exported: ${inMegabytes(bytes)} in ${out}\n`);
}
