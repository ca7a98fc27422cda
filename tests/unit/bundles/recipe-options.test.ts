import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recipe } from '../../../native-models/bundles/recipe.ts';
import { writeRecipeWeights } from '../../fixtures/bundles/recipe-weights.ts';
import { buildRecipe, exact } from '../../fixtures/bundles/tiny-bundles.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const build = (name: string, change: (recipe: Recipe) => Recipe) =>
  buildRecipe(name, {
    weights: at('weights'),
    out: at('refused'),
    change: (recipe) => change(exact(recipe)),
  });
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-options-'));
  await writeRecipeWeights(at('weights'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what a recipe says of a part', () => {
  const adaptors = [
    'sim',
    'sim-convnet-4x',
    'sim-q-former',
    'sim-window-q-former',
    'aligner',
    'audiochatllama',
  ];
  it.each(adaptors)('is refused by name when the adaptor of %s does not know it', async (name) => {
    const misspelt = build(name, (recipe) => ({
      ...recipe,
      ...(recipe.adaptor && { adaptor: { ...recipe.adaptor, stackk: 4 } }),
    }));
    await expect(misspelt).rejects.toMatchObject({
      code: 'file-invalid',
      message: expect.stringContaining('stackk'),
    });
    expect(existsSync(at('refused'))).toBe(false);
  });

  it.each([
    ['sim', 'encoder'],
    ['audiochatllama', 'encoder'],
    ['salmonn', 'secondEncoder'],
  ] as const)('is refused by name when the encoder does not know it: %s, %s', async (name, part) => {
    const misspelt = build(name, (recipe) => ({
      ...recipe,
      [part]: { ...recipe[part], blokFrames: 50 },
    }));
    await expect(misspelt).rejects.toMatchObject({
      code: 'file-invalid',
      message: expect.stringContaining('blokFrames'),
    });
  });
});

describe('parts that do not go together', () => {
  it('are refused before anything is written, naming both widths', async () => {
    const other = { architecture: 'linear', from: 'weights/audiochatllama/projection.safetensors' };
    await expect(build('sim', (recipe) => ({ ...recipe, adaptor: other }))).rejects.toMatchObject({
      code: 'shape-mismatch',
      message: expect.stringMatching(/24.*32/),
    });
    expect(existsSync(at('refused'))).toBe(false);
  });

  it('an adaptor without an encoder, and a second encoder without a first, are refused', async () => {
    await expect(build('sim', ({ encoder: _, ...recipe }) => recipe)).rejects.toThrow(/no encoder/);
    await expect(build('salmonn', ({ encoder: _, adaptor: __, ...recipe }) => recipe)).rejects.toThrow(
      /no first one/,
    );
  });
});
