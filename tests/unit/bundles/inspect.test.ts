import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectBundle, inspectManifest } from '../../../native-models/bundles/inspection/inspect.ts';
import { readManifest } from '../../../native-models/bundles/verify.ts';
import { openWeights } from '../../../native-models/formats/open-weights.ts';
import { writeRecipeWeights } from '../../fixtures/bundles/recipe-weights.ts';
import { buildRecipe, exact } from '../../fixtures/bundles/tiny-bundles.ts';
import { writeTinyLlama } from '../../fixtures/engine/tiny-llama.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const build = (name: string, change = exact) =>
  buildRecipe(name, { weights: at('weights'), out: at(name), change });
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-inspect-'));
  await writeRecipeWeights(at('weights'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Numbers in a weight file under names that begin like this. */
function numbersIn(path: string, start = ''): number {
  const weights = openWeights(path);
  const names = weights.names().filter((name) => name.startsWith(start));
  const sizes = names.map((name) => weights.tensor(name).shape.reduce((product, size) => product * size, 1));
  weights.close();
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('inspecting a bundle', () => {
  it('counts the numbers that the published weights hold, part by part', async () => {
    await build('salmonn');
    const { parts } = inspectBundle(at('salmonn'));
    const counted = Object.fromEntries(parts.map(({ part, parameters }) => [part, parameters]));
    const salmonn = at('weights/salmonn_v1.pth');
    expect(counted.encoder).toBe(numbersIn(at('weights/whisper-large-v2')));
    expect(counted.adaptor).toBe(numbersIn(salmonn) - numbersIn(salmonn, 'model.llama_model'));
    expect(counted.llm).toBe(numbersIn(at('weights/vicuna-13b-v1.1')));
    expect(parts.map(({ part, architecture, from }) => [part, architecture, from])).toEqual([
      ['encoder', 'whisper', 'weights/whisper-large-v2'],
      ['secondEncoder', 'beats', 'weights/BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt'],
      ['adaptor', 'window-q-former', 'weights/salmonn_v1.pth'],
      ['llm', 'llama', 'weights/vicuna-13b-v1.1'],
    ]);
  });

  it('says what each graph takes and gives, and whose the bytes on the disk are', async () => {
    const { parts } = inspectBundle(at('salmonn'));
    expect(parts.find(({ part }) => part === 'adaptor')?.graphs).toEqual([
      {
        file: 'adaptor.onnx',
        inputs: [
          { name: 'encoder', type: 'float32', shape: [1, 'frames', 32] },
          { name: 'secondEncoder', type: 'float32', shape: [1, 'secondFrames', 16] },
        ],
        outputs: [{ name: 'adaptor', type: 'float32', shape: [1, 'tokens', 64] }],
      },
    ]);
    const onDisk = readManifest(at('salmonn')).files.map(({ path }) => statSync(at(`salmonn/${path}`)).size);
    const said = parts.map(({ bytes }) => bytes ?? 0);
    const sum = (sizes: number[]) => sizes.reduce((all, size) => all + size, 0);
    expect(sum(said)).toBe(sum(onDisk));
  });

  it('tells what it can do, and how many tokens sound becomes', async () => {
    expect(inspectBundle(at('salmonn'))).toMatchObject({
      capabilities: ['chat', 'transcribe', 'translate-to-english'],
      tasks: ['answer', 'transcribe', 'translate'],
      lora: { rank: 8, scale: 4 },
      generation: { beams: 4, maxTokens: 200 },
      audioTokens: { perSecond: expect.closeTo(50 / 17, 6) },
      contextLength: 2048,
    });
    await build('sim-q-former');
    expect(inspectBundle(at('sim-q-former')).audioTokens).toEqual({ fixed: 6 });
  });

  it('counts keys and values by the length of the conversation, no more than a window for layers with one', () => {
    const manifest = readManifest(at('salmonn'));
    const { memory, parts } = inspectManifest(at('salmonn'), manifest);
    const weights = parts.reduce((sum, part) => sum + part.memory, 0);
    const row = 2 * 16 * 4; // a key and a value of one head of 16 in single precision
    expect(memory).toEqual(
      [512, 1024, 2048].map((positions) => ({
        positions,
        cache: 2 * row * positions,
        total: weights + 2 * row * positions,
      })),
    );
    const slidingWindow = { positions: 100, layers: 1 };
    const llm = manifest.llm && { ...manifest.llm, slidingWindow };
    const [shortest] = inspectManifest(at('salmonn'), { ...manifest, llm }).memory;
    expect(shortest?.cache).toBe(row * (512 + 100));
  });

  it('counts rounded weights by their numbers, and says how they are kept', async () => {
    writeTinyLlama(folder);
    await build('sim', ({ encoder: _, adaptor: __, ...recipe }) => ({
      ...exact(recipe),
      llm: { from: at('tiny.gguf') },
    }));
    const [llm] = inspectBundle(at('sim')).parts;
    expect(llm?.parameters).toBe(numbersIn(at('tiny.gguf')));
    expect(llm?.kept).toEqual(['Q8_0', 'F32']);
  });
});
