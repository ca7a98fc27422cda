import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import { readRecipe } from '../../../native-models/bundles/recipe.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { encoderWidth, writeRecipeWeights } from '../../fixtures/bundles/recipe-weights.ts';
import { tinyLlama } from '../../fixtures/bundles/tiny-llama-folder.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';

const recipes = fileURLToPath(new URL('../../../resources/recipes/', import.meta.url));
const names = readdirSync(recipes)
  .filter((name) => name.endsWith('.json'))
  .map((name) => basename(name, '.json'));

/** 1.7 s. */
const clip = numbered('clip', [27_200], 0.3);

/** What 1.7 s become with each recipe's own padding: frames of the encoder, and tokens for the LLM. */
const expected: Readonly<Record<string, { features: number[]; encoder: number[]; tokens: number }>> = {
  sim: { features: [80, 3000], encoder: [1500, encoderWidth.whisper], tokens: 1500 },
  'sim-convnet-4x': { features: [80, 3000], encoder: [1500, encoderWidth.whisper], tokens: 375 },
  'sim-convnet-8x': { features: [80, 3000], encoder: [1500, encoderWidth.whisper], tokens: 188 },
  'sim-q-former': { features: [80, 3000], encoder: [1500, encoderWidth.whisper], tokens: 6 },
  'sim-window-q-former': { features: [80, 3000], encoder: [1500, encoderWidth.whisper], tokens: 372 },
  salmonn: { features: [80, 3000], encoder: [1500, encoderWidth.whisper], tokens: 88 },
  aligner: { features: [128, 3000], encoder: [1500, encoderWidth.whisper], tokens: 1500 },
  ultravox: { features: [128, 170], encoder: [85, encoderWidth.whisper], tokens: 11 },
  audiochatllama: { features: [80, 174], encoder: [22, encoderWidth.conformer], tokens: 22 },
};

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-recipes-'));
  await writeRecipeWeights(join(folder, 'weights'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function build(name: string): Promise<BundleManifest> {
  return buildBundle({
    recipe: readRecipe(join(recipes, `${name}.json`)),
    recipeFolder: recipes,
    sources: { weights: join(folder, 'weights') },
    out: join(folder, name),
  });
}

describe('the recipes that come with the app', () => {
  it('are those that this test knows', () => {
    expect(names.toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  it.each(names)('%s is built from weights as they are published, and hears and answers', async (name) => {
    const manifest = await build(name);
    const tokens = expected[name]?.tokens ?? 0;
    const out = join(folder, `${name}.safetensors`);
    const shapes = await probeBundle({
      folder: join(folder, name),
      clips: [clip],
      prompt: `USER: ${manifest.prompt.audio.before}{audio}${manifest.prompt.audio.after} What?`,
      bos: true,
      out,
    });
    const positions = shapes.ids?.[0] ?? 0;
    expect(shapes).toMatchObject({
      features: expected[name]?.features,
      encoder: expected[name]?.encoder,
      adaptor: [tokens, tinyLlama.hidden],
      logits: [positions, tinyLlama.vocabulary],
    });
    using tensors = new Safetensors(out);
    for (const part of Object.keys(shapes).filter((part) => part !== 'ids')) {
      const values = tensors.tensor(part).float32();
      expect(values.every(Number.isFinite), part).toBe(true);
      const [first = 0] = values;
      expect(
        values.some((value) => Math.abs(value - first) > 0.1),
        part,
      ).toBe(true);
    }
    const ids = [...new BigInt64Array(tensors.tensor('ids').read().buffer)];
    expect(ids.filter((id) => id === -1n)).toHaveLength(tokens);
    expect(ids[0]).toBe(1n);
  });
});
