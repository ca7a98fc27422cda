import type { Command } from 'commander';
import { z } from 'zod';
import type { BundleSummary } from '../../contract/index.ts';
import { listBundles, removeBundle, verifyInstalled } from '../../models/bundles.ts';
import { importBundle } from '../../models/import.ts';
import { pullBundle } from '../../models/install.ts';
import { defaultBundleId } from '../bundle-choice.ts';
import { createMachine } from '../machine.ts';
import { type Invocation, runs } from './invocation.ts';
import { createProgressLine } from './progress-line.ts';

const pullSchema = z.object({ keepDownloads: z.boolean().optional() });

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

function listLine({
  id,
  name,
  state,
  downloadBytes,
  installedBytes,
  licence,
  languages,
}: BundleSummary): string {
  const size = installedBytes === null ? `${megabytes(downloadBytes)} to fetch` : megabytes(installedBytes);
  return `${id}  ${state}  ${size}  ${name}  ${licence}  ${languages.join(', ')}\n`;
}

/** `parlance models list|pull|import|verify|remove`: the bundles of the catalogue and of this disk. */
export function addModels(program: Command): void {
  const models = program.command('models').description('Fetches, checks and removes bundles of models.');

  const list = models.command('list').description('Lists the bundles of the catalogue and of this disk.');
  runs(list, z.object({}), async ({ home, log, output }) => {
    for (const bundle of await listBundles(createMachine(home, log).place)) {
      output.event({ type: 'bundle', ...bundle });
      output.text(listLine(bundle));
    }
  });

  const pull = models
    .command('pull')
    .description(
      'Fetches a bundle, checks it, and builds it on this machine. Goes on where it was cut short.',
    )
    .argument('[ID]', 'a bundle of the catalogue', defaultBundleId)
    .option('--keep-downloads', 'keep the weights as they were fetched');
  runs(pull, pullSchema, (invocation, options, [id]) => pullOne(invocation, id ?? defaultBundleId, options));

  const bring = models
    .command('import')
    .description('Copies a bundle that lies elsewhere, built or fetched by hand, into the models folder.')
    .argument('<DIR>', "the bundle's folder");
  runs(bring, z.object({}), async ({ home, log, output, signal }, _options, [from = '']) => {
    const { id, folder, bytes } = await importBundle(createMachine(home, log).place, from, signal);
    output.event({ type: 'done', bundle: id, folder, bytes });
    output.text(`${id} is imported: ${megabytes(bytes)} in ${folder}\n`);
  });

  const verify = models
    .command('verify')
    .description("Hashes every file of an installed bundle again and compares it with the bundle's manifest.")
    .argument('[ID]', 'an installed bundle', defaultBundleId);
  runs(verify, z.object({}), (invocation, _options, [id]) => verifyOne(invocation, id ?? defaultBundleId));

  const remove = models.command('remove').description('Deletes an installed bundle.').argument('<ID>');
  runs(remove, z.object({}), async ({ home, log, output }, _options, [id = '']) => {
    await removeBundle(createMachine(home, log).place, id);
    output.event({ type: 'done', bundle: id });
    output.text(`${id} is removed.\n`);
  });
}

async function pullOne(
  { home, log, output, signal }: Invocation,
  id: string,
  { keepDownloads }: z.infer<typeof pullSchema>,
): Promise<void> {
  const line = createProgressLine(output);
  try {
    const bundle = await pullBundle(id, {
      place: createMachine(home, log).place,
      onProgress: line.show,
      signal,
      keepDownloads: keepDownloads === true,
    });
    line.end();
    output.event({ type: 'done', bundle: id, folder: bundle.folder, bytes: bundle.installedBytes });
    output.text(`${id} is installed: ${megabytes(bundle.installedBytes ?? 0)} in ${bundle.folder}\n`);
  } finally {
    line.end();
  }
}

async function verifyOne({ home, log, output }: Invocation, id: string): Promise<void> {
  const line = createProgressLine(output);
  try {
    const { files } = await verifyInstalled(createMachine(home, log).place, id, line.show);
    line.end();
    output.event({ type: 'done', bundle: id, files: files.length });
    output.text(`${id} is whole: ${files.length} files have the hashes of its manifest.\n`);
  } finally {
    line.end();
  }
}
