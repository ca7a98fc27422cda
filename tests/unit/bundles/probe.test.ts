import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import type { ProbeRequest } from '../../../native-models/bundles/probe-request.ts';
import type { Recipe } from '../../../native-models/bundles/recipe.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { encoderWidth, writeRecipeWeights } from '../../fixtures/bundles/recipe-weights.ts';
import { buildRecipe, exact } from '../../fixtures/bundles/tiny-bundles.ts';
import { tinyLlama } from '../../fixtures/bundles/tiny-llama-folder.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const build = (name: string, change: (recipe: Recipe) => Recipe = exact, out = name) =>
  buildRecipe(name, { weights: at('weights'), out: at(out), change });
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-probe-'));
  await writeRecipeWeights(at('weights'));
  await build('audiochatllama');
  await build('salmonn');
});
afterAll(() => rmSync(folder, { recursive: true }));

const clip = (samples: number) => numbered(`clip of ${samples}`, [samples], 0.3);

async function probe(bundle: string, request: Partial<ProbeRequest>) {
  const out = at('out.safetensors');
  const shapes = await probeBundle({ folder: at(bundle), clips: [], out, ...request });
  const file = new Safetensors(out);
  const tensors = Object.fromEntries(Object.keys(shapes).map((name) => [name, file.tensor(name).read()]));
  const floats = (name: string) => new Float32Array(tensors[name]?.buffer ?? new ArrayBuffer(0));
  const ids = () => [...new BigInt64Array(tensors.ids?.buffer ?? new ArrayBuffer(0))].map(Number);
  file.close();
  return { shapes, floats, ids };
}

describe('a probe', () => {
  it('of sound alone gives every border up to the LLM, the scores of a CTC head among them', async () => {
    const { shapes } = await probe('audiochatllama', { clips: [clip(16_000)] });
    expect(shapes).toEqual({
      features: [80, 102],
      encoder: [13, encoderWidth.conformer],
      ctc: [13, 12],
      adaptor: [13, tinyLlama.hidden],
    });
  });

  it('lets a second encoder hear the clip as it is, a second of it at least, while the first hears 30 s', async () => {
    const rows = async (samples: number) => {
      const { shapes } = await probe('salmonn', { clips: [clip(samples)] });
      expect(shapes).toMatchObject({ features: [80, 3000], encoder: [1500, encoderWidth.whisper] });
      return shapes.secondEncoder?.[0];
    };
    // 8 patches of 128 bands for every 16 frames of 10 ms.
    expect(await rows(48_000)).toBe(8 * Math.floor(298 / 16));
    expect(await rows(4000)).toBe(8 * Math.floor(98 / 16));
    expect(await rows(40 * 16_000)).toBe(8 * Math.floor(2998 / 16));
  });

  it('of several clips numbers their tensors, and puts each in its own place', async () => {
    const clips = [clip(16_000), clip(32_000)];
    const { shapes, ids, floats } = await probe('audiochatllama', { clips, prompt: 'a{audio}b{audio}c' });
    expect(shapes).toMatchObject({ 'adaptor.0': [13, 64], 'adaptor.1': [25, 64], logits: [41, 300] });
    const sound = (length: number) => new Array<number>(length).fill(-1);
    const [a = 0] = ids();
    expect(ids()).toEqual([a, ...sound(13), a + 1, ...sound(25), a + 2]);
    const swapped = await probe('audiochatllama', { clips: clips.toReversed(), prompt: 'a{audio}b{audio}c' });
    expect(swapped.floats('adaptor.1')).toEqual(floats('adaptor.0'));
    expect(swapped.floats('logits').slice(-300)).not.toEqual(floats('logits').slice(-300));
  });

  it('tokenises what stands before and after the sound by itself, and reads ids as they are', async () => {
    const clips = [clip(16_000)];
    const { ids, floats } = await probe('audiochatllama', { clips, prompt: 'ab{audio}cd', bos: true });
    const given = [...ids().slice(0, 3), -1, ...ids().slice(-2)];
    expect(given[0]).toBe(1);
    const again = await probe('audiochatllama', { clips, ids: given });
    expect(again.ids()).toEqual(ids());
    expect(again.floats('logits')).toEqual(floats('logits'));
  });

  it('turns the LoRA down, and off', async () => {
    const logits = async (loraScale?: number) =>
      (await probe('salmonn', { ids: [5, 6], ...(loraScale !== undefined && { loraScale }) })).floats(
        'logits',
      );
    const [trained, four, half, none] = [await logits(), await logits(4), await logits(2), await logits(0)];
    expect(four).toEqual(trained);
    const far = (values: Float32Array) =>
      Math.hypot(...values.map((value, i) => value - (none[i] ?? Number.NaN)));
    expect(far(half)).toBeGreaterThan(0.01);
    expect(far(trained)).toBeGreaterThan(1.2 * far(half));
  });

  it('pads as the recipe says, as told to, and as the encoder needs in a bundle of it alone', async () => {
    const alone = ({ adaptor: _, llm: __, ...recipe }: Recipe): Recipe => exact(recipe);
    const frames = async (bundle: string, pad?: '30' | 'none') =>
      (await probe(bundle, { clips: [clip(16_100)], ...(pad && { pad }) })).shapes.features?.[1];
    await build('sim', alone, 'ears');
    expect(await frames('ears')).toBe(3000);
    expect(await frames('ears', 'none')).toBe(101);
    await build('sim', (recipe) => ({ ...alone(recipe), padding: 'none' }), 'short-ears');
    expect(await frames('short-ears')).toBe(101);
    expect(await frames('short-ears', '30')).toBe(3000);
  });
});
