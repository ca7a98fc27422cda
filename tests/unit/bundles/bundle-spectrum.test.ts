import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleSpectrum } from '../../../native-models/bundles/bundle-spectrum.ts';
import { writeRecipeWeights } from '../../fixtures/bundles/recipe-weights.ts';
import { buildRecipe, exact } from '../../fixtures/bundles/tiny-bundles.ts';
import { numberedValues } from '../../fixtures/bundles/tiny-parts.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const build = (name: string, change = exact) =>
  buildRecipe(name, { weights: at('weights'), out: at(name), change });
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-spectrum-'));
  await writeRecipeWeights(at('weights'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const energy = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);

describe('the spectrum of a bundle', () => {
  it('holds all the energy of the matrix that was trained, whatever form it takes in the graph', async () => {
    await build('aligner');
    const { matrices } = await bundleSpectrum(at('aligner'), null);
    expect(matrices.map(({ name, shape }) => [name, shape])).toEqual([['linear.weight', [64, 32]]]);
    const trained = energy(numberedValues('linear.weight', [64, 32]));
    expect(matrices[0]?.totalEnergy).toBeCloseTo(trained, 4);
    expect(matrices[0]?.singularValues).toHaveLength(32);
  });

  it('of a clip is that of what the adaptor makes of it', async () => {
    const { features } = await bundleSpectrum(at('aligner'), numbered('clip', [27_200], 0.3));
    expect(features?.shape).toEqual([1500, 64]);
    expect(features?.energyOfTop.at(-1)?.energy).toBeCloseTo(1, 6);
  });

  it('lists every matrix that sound passes through, in its order', async () => {
    await build('sim');
    const { matrices } = await bundleSpectrum(at('sim'), null);
    expect(matrices.map(({ name }) => name)).toEqual(['adaptor.0.weight', 'adaptor.2.weight']);
  });

  it('is refused for a bundle without an adaptor', async () => {
    await build('sim', ({ adaptor: _, ...recipe }) => exact(recipe));
    await expect(bundleSpectrum(at('sim'), null)).rejects.toMatchObject({ code: 'not-supported' });
  });
});
