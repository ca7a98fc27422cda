import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { bundleSpectrum } from '../../../native-models/bundles/bundle-spectrum.ts';
import type { MatrixSpectrum } from '../../../native-models/spectrum/spectrum.ts';
import { spectrumSvg } from '../../../native-models/spectrum/spectrum-svg.ts';
import { chooseBundle } from '../bundle-choice.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';
import { readSoundFile } from './sound-file.ts';
import { textTable } from './text-table.ts';

const spectrumSchema = z.object({
  audio: z.string().optional(),
  svg: z.string().optional(),
  top: numberOption.pipe(z.int().min(1)).optional(),
});
type SpectrumOptions = z.infer<typeof spectrumSchema>;

/** `parlance bundle spectrum DIR`. */
export function addBundleSpectrum(bundle: Command): void {
  const spectrum = bundle
    .command('spectrum')
    .description('Singular values of the alignment between encoder and LLM: how few directions carry it.')
    .argument('<DIR>', 'a bundle, by its folder or its id')
    .option('--audio <WAV>', 'a clip, for the singular values of what the adaptor makes of it')
    .option('--svg <FILE>', 'write a picture')
    .option('--top <K>', 'list the first K singular values, and no others');
  runs(spectrum, spectrumSchema, (invocation, options, [folder = '']) => tell(invocation, folder, options));
}

async function tell({ home, output }: Invocation, name: string, options: SpectrumOptions): Promise<void> {
  const { folder, manifest } = chooseBundle(home.models, name);
  const clip = options.audio === undefined ? null : (await readSoundFile(options.audio)).samples;
  const spectrum = await bundleSpectrum(folder, clip);
  if (options.svg !== undefined) await writeFile(resolve(options.svg), spectrumSvg(spectrum));
  const shown = (matrix: MatrixSpectrum): MatrixSpectrum => ({
    ...matrix,
    singularValues: matrix.singularValues.slice(0, options.top),
  });
  output.event({
    type: 'spectrum',
    bundle: manifest.id,
    matrices: spectrum.matrices.map(shown),
    ...(spectrum.features && { features: shown(spectrum.features) }),
    ...(options.svg !== undefined && { svg: resolve(options.svg) }),
  });
  for (const matrix of [...spectrum.matrices, ...(spectrum.features ? [spectrum.features] : [])])
    output.text(`${inWords(matrix, options.top)}\n`);
  if (options.svg !== undefined) output.text(`drawn in ${resolve(options.svg)}\n`);
}

function inWords(matrix: MatrixSpectrum, top: number | undefined): string {
  const { name, shape, singularValues, energyOfTop, vectorsForEnergy, effectiveRank } = matrix;
  const needed = vectorsForEnergy.map(({ energy, k }) => `${k} hold ${percent(energy)}`).join(', ');
  return [
    `${name}, ${shape.join(' × ')}: ${singularValues.length} singular values, effective rank ${effectiveRank.toFixed(1)}`,
    `of the energy, ${needed}`,
    textTable([
      ['top k', ...energyOfTop.map(({ k }) => String(k))],
      ['energy', ...energyOfTop.map(({ energy }) => percent(energy))],
    ]),
    ...(top === undefined
      ? []
      : [
          singularValues
            .slice(0, top)
            .map((value) => value.toPrecision(4))
            .join('  '),
        ]),
    '',
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
