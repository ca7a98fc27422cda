import type { Command } from 'commander';
import { z } from 'zod';
import type { BundleSummary } from '../../contract/index.ts';
import { listBundles, removeBundle, verifyInstalled } from '../../models/bundles.ts';
import { importBundle } from '../../models/import.ts';
import { pullBundle } from '../../models/install.ts';
import { isVoicePack, listVoicePacks, pullVoices, removeVoices, verifyVoices } from '../../models/voices.ts';
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
    for (const pack of await listVoicePacks(createMachine(home, log).place)) {
      output.event({ type: 'voices', ...pack });
      const state = pack.installed ? 'installed' : 'available';
      const languages = [...new Set(pack.voices.map(({ language }) => language))].join(', ');
      output.text(
        `${pack.id}  ${state}  ${megabytes(pack.downloadBytes)}  ${pack.name}  ${pack.licence}  ${languages}\n`,
      );
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
    const { place } = createMachine(home, log);
    if (await isVoicePack(place, id)) await removeVoices(place, id);
    else await removeBundle(place, id);
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
  const { place } = createMachine(home, log);
  try {
    if (await isVoicePack(place, id)) {
      const { folder, downloadBytes } = await pullVoices(id, { place, onProgress: line.show, signal });
      line.end();
      output.event({ type: 'done', bundle: id, folder, bytes: downloadBytes });
      output.text(`${id} is installed: ${megabytes(downloadBytes)} in ${folder}\n`);
      return;
    }
    const bundle = await pullBundle(id, {
      place,
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
    const { place } = createMachine(home, log);
    const count = (await isVoicePack(place, id))
      ? await verifyVoices(place, id)
      : (await verifyInstalled(place, id, line.show)).files.length;
    line.end();
    output.event({ type: 'done', bundle: id, files: count });
    output.text(`${id} is whole: ${count} files have the hashes of its manifest.\n`);
  } finally {
    line.end();
  }
}
