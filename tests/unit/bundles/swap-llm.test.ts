import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import { type SwapRequest, swapLlm } from '../../../native-models/bundles/swap-llm.ts';
import { openBundle } from '../../../native-models/bundles/verify.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { writeRecipeWeights } from '../../fixtures/bundles/recipe-weights.ts';
import { buildRecipe, exact } from '../../fixtures/bundles/tiny-bundles.ts';
import { writeLlamaFolder } from '../../fixtures/bundles/tiny-llama-folder.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';

let folder: string;
const at = (name: string) => join(folder, name);
let aligner: BundleManifest;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-swap-'));
  await writeRecipeWeights(at('weights'));
  await writeLlamaFolder(at('Chat'), ['<|Human|>', '<|Assistant|>', '<|system|>']);
  aligner = await buildRecipe('aligner', { weights: at('weights'), out: at('aligner'), change: exact });
});
afterAll(() => rmSync(folder, { recursive: true }));

const swap = (out: string, request: Partial<SwapRequest> = {}) =>
  swapLlm({
    ...{ bundle: at('aligner'), llm: at('Chat'), architecture: null, quantize: 'keep' },
    ...{ id: null, name: null, keepLora: null, out: at(out) },
    ...request,
  });

const tensor = async (bundle: string, name: string, request: object = {}) => {
  const out = at('probe.safetensors');
  const clips = [numbered('clip', [27_200], 0.3)];
  await probeBundle({ folder: at(bundle), clips, prompt: 'a{audio}b', pad: 'none', out, ...request });
  using file = new Safetensors(out);
  return file.tensor(name).float32();
};

describe('another LLM under the same ears', () => {
  it('leaves encoder and adaptor byte for byte, and answers with the words of its own weights', async () => {
    const manifest = await swap('chat');
    expect(await openBundle(at('chat'))).toEqual(manifest);
    const others = ({ files }: BundleManifest) => files.filter(({ part }) => part !== 'llm');
    expect(others(manifest)).toEqual(others(aligner));
    for (const { path } of others(manifest))
      expect(readFileSync(at(`chat/${path}`)).equals(readFileSync(at(`aligner/${path}`))), path).toBe(true);
    expect(manifest).toMatchObject({
      id: 'aligner-chat',
      name: 'Transferable aligner, Chat',
      licence: 'unknown',
      figures: [],
      adaptor: aligner.adaptor,
      llm: { from: 'Chat', hidden: aligner.llm?.hidden },
    });
    expect(manifest.provenance.map(({ file }) => file)).not.toContain('weights/Yi-6B');
    expect(await tensor('chat', 'adaptor')).toEqual(await tensor('aligner', 'adaptor'));
    expect((await tensor('chat', 'logits')).every(Number.isFinite)).toBe(true);
  });

  it('keeps a template that the adaptor was trained with, and takes the LLM’s own where the recipe gave none', async () => {
    expect((await swap('chat')).prompt).toEqual(aligner.prompt);
    const weights = at('weights');
    const sim = await buildRecipe('sim', { weights, out: at('sim'), change: exact });
    await writeLlamaFolder(at('Other'));
    writeFileSync(at('Other/chat_template.jinja'), '{{ messages[0].content }}');
    const { prompt } = await swap('other', { bundle: at('sim'), llm: at('Other') });
    expect(sim.prompt.templateOf).toBe('llm');
    expect(prompt).toEqual({ ...sim.prompt, chatTemplate: '{{ messages[0].content }}' });
  });

  it('leaves the old LLM’s LoRA behind and says so, or takes it along from its file', async () => {
    await buildRecipe('salmonn', { weights: at('weights'), out: at('salmonn'), change: exact });
    const notes: string[] = [];
    // The same weights under another name, so that the logits tell whether the LoRA came along.
    const llm = at('weights/Llama-2-7b-chat-hf');
    const request = { bundle: at('salmonn'), llm, onNote: (note: string) => notes.push(note) };
    expect((await swap('plain', request)).llm?.lora).toBeNull();
    expect(notes).toEqual([expect.stringContaining('LoRA')]);
    const keepLora = at('weights/salmonn_v1.pth');
    expect((await swap('kept', { ...request, keepLora })).llm?.lora).toEqual({ rank: 8, scale: 4 });
    expect(notes).toHaveLength(1);
    const [before, after] = [await tensor('salmonn', 'logits'), await tensor('kept', 'logits')];
    expect(Math.max(...before.map((value, i) => Math.abs(value - (after[i] ?? 0))))).toBeLessThan(1e-5);
    await expect(swap('refused', { keepLora })).rejects.toThrow(/no LoRA/);
  });

  it('refuses an LLM of another width before anything is built, naming both', async () => {
    await writeLlamaFolder(at('Wide'));
    const config = JSON.parse(readFileSync(at('Wide/config.json'), 'utf8'));
    writeFileSync(at('Wide/config.json'), JSON.stringify({ ...config, hidden_size: 96 }));
    await expect(swap('wide', { llm: at('Wide') })).rejects.toMatchObject({
      code: 'shape-mismatch',
      message: expect.stringMatching(/64.*96/),
    });
    expect(existsSync(at('wide'))).toBe(false);
  });

  it('refuses a bundle that is damaged, has no adaptor, or is to replace itself', async () => {
    await expect(swap('aligner')).rejects.toThrow(/replace itself/);
    const recipe = ({ adaptor: _, ...others }: Parameters<typeof exact>[0]) => exact(others);
    await buildRecipe('sim', { weights: at('weights'), out: at('deaf'), change: recipe });
    await expect(swap('refused', { bundle: at('deaf') })).rejects.toThrow(/no adaptor/);
    await swap('damaged');
    appendFileSync(at('damaged/adaptor.data'), 'x');
    await expect(swap('refused', { bundle: at('damaged') })).rejects.toMatchObject({
      code: 'bundle-corrupt',
    });
    expect(existsSync(at('refused'))).toBe(false);
  });
});
