import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import { exportUltravox } from '../../../native-models/bundles/export/ultravox.ts';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import type { Recipe } from '../../../native-models/bundles/recipe.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { type Shapes, writeNumbered } from '../../fixtures/bundles/tiny-parts.ts';
import {
  projectorShapes,
  recipeOfExport,
  writeGgufLlm,
  writeLlm,
  writeSpeechLlm,
} from '../../fixtures/export/tiny-speech-llm.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';

/** An interpreter with torch, transformers and safetensors: native-models/training/requirements.txt. */
const python = process.env.PARLANCE_TEST_PYTHON;
const program = fileURLToPath(new URL('logits_of_folders.py', import.meta.url));

/** Of the largest value: both compute in single precision, in other orders. */
const tolerance = 1e-4;

/** 1.72 s: 172 frames of features, and no whole number of tokens. */
const clip = numbered('clip', [27_500], 0.3);
const text = ['What is said: ', ' Grüße, 12 times.'] as const;

const gated = projectorShapes(['ln_pre', 'linear_1', 'ln_mid', 'linear_2'], 8, true);
const ultravox = below('multi_modal_projector', gated);

function below(module: string, shapes: Shapes): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`${module}.${name}`, shape]));
}

/** Tensors by name, of what a probe wrote. */
function tensorsIn(path: string): Map<string, Float32Array> {
  using file = new Safetensors(path);
  return new Map(file.names().map((name) => [name, file.tensor(name).float32()]));
}

async function probed(folder: string): Promise<Map<string, Float32Array>> {
  const path = `${folder}.safetensors`;
  await probeBundle({ folder, clips: [clip], prompt: text.join('{audio}'), out: path });
  return tensorsIn(path);
}

function expectAlike(ours: Map<string, Float32Array>, theirs: Map<string, Float32Array>): void {
  for (const name of ['encoder', 'adaptor', 'logits']) {
    const [a, b] = [ours.get(name) ?? new Float32Array(), theirs.get(name) ?? new Float32Array(1)];
    expect(a.length, name).toBe(b.length);
    const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest, name).toBeGreaterThan(0.1);
    const apart = a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
    expect(apart / largest, name).toBeLessThan(tolerance);
  }
}

/** For transformers, which starts once for all of them. */
const exported: string[] = [];
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parlance-export-'));
  folders.push(folder);
  return folder;
}

/** Builds the recipe's bundle in a folder, exports it, and holds what the foundry reads of that against it. */
async function goRound(recipe: Recipe, folder: string): Promise<void> {
  const [bundle, out, again] = ['bundle', 'exported', 'again'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await buildBundle({ recipe, recipeFolder: folder, out: bundle });
  await exportUltravox({ bundle, recipe, recipeFolder: folder, out });
  // Everything must be in the folder: its sources are gone from where they were.
  for (const name of ['whisper', 'llm', 'projector.safetensors'])
    renameSync(join(folder, name), join(folder, `gone-${name}`));
  await buildBundle({ recipe: recipeOfExport(out), recipeFolder: folder, out: again });
  expectAlike(await probed(again), await probed(bundle));
  exported.push(out);
}

describe('a bundle that is written in Ultravox’s layout and read back gives the same logits', () => {
  it.each<[string, Shapes, object]>([
    ['Ultravox 0.5’s projector', ultravox, {}],
    [
      'the projector before it',
      below('multi_modal_projector', {
        'ln_pre.weight': [4 * 32],
        'linear_1.weight': [96, 4 * 32],
        'linear_2.weight': [64, 48],
        'ln_post.weight': [64],
      }),
      {},
    ],
    [
      'a stack of the same layers',
      projectorShapes(['adaptor.0', 'adaptor.1', 'adaptor.3', 'adaptor.4'], 5),
      {
        adaptor: {
          architecture: 'stack',
          from: 'projector.safetensors',
          remainder: 'pad',
          activation: 'relu',
        },
      },
    ],
    [
      'an MLP of the same layers',
      projectorShapes(['adaptor.0', 'adaptor.1', 'adaptor.3', 'adaptor.4'], 1),
      { adaptor: { architecture: 'mlp', from: 'projector.safetensors', activation: 'gelu_pytorch_tanh' } },
    ],
  ])('%s', async (_, shapes, change) => {
    const folder = newFolder();
    await goRound(await writeSpeechLlm(folder, shapes, change), folder);
  });

  it.each([
    'llama with biases and llama3 positions',
    'llama with yarn',
    'mistral',
    'qwen2',
    'qwen3',
    'gemma3',
    'gemma3 by the names of transformers 5',
    'phi3',
    'granite',
    'smollm3',
  ])('the language model %s', async (name) => {
    const folder = newFolder();
    const recipe = await writeSpeechLlm(folder, ultravox);
    await writeLlm(join(folder, 'llm'), name);
    await goRound(recipe, folder);
  });

  it.each([
    ['llama', 'F32'],
    ['llama', 'Q8_0'],
    ['qwen3', 'F32'],
  ] as const)('the language model %s of a GGUF file with %s', async (name, matrices) => {
    const folder = newFolder();
    const recipe = await writeSpeechLlm(folder, ultravox);
    await writeGgufLlm(join(folder, 'llm'), name, matrices);
    await goRound(recipe, folder);
  });

  it.each(['llama', 'phi3'])('a LoRA, which is added to the weights of %s', async (name) => {
    const folder = newFolder();
    const lora = { from: 'lora.safetensors', rank: 4, alpha: 8 };
    const recipe = await writeSpeechLlm(folder, ultravox, { lora });
    const { head_dim: size = 16, ...config } = await writeLlm(join(folder, 'llm'), name);
    const layer = 'base_model.model.model.layers.1.self_attn';
    await writeNumbered(join(folder, 'lora.safetensors'), {
      [`${layer}.k_proj.lora_A.weight`]: [4, 64],
      [`${layer}.k_proj.lora_B.weight`]: [config.num_key_value_heads * size, 4],
      [`${layer}.v_proj.lora_A.weight`]: [4, 64],
      [`${layer}.v_proj.lora_B.weight`]: [config.num_key_value_heads * size, 4],
    });
    await goRound(recipe, folder);
  });

  it.skipIf(python === undefined)(
    'so does transformers, with the same tokens',
    () => {
      expect(exported.length).toBeGreaterThan(0);
      execFileSync(python ?? '', [program, text.join(''), ...exported], { stdio: 'pipe' });
      for (const folder of exported) {
        const original = tensorsIn(join(folder, '../bundle.safetensors'));
        const theirs = tensorsIn(join(folder, '../transformers.safetensors'));
        expectAlike(theirs, original);
        const spoken = [...(original.get('ids') ?? [])].filter((id) => id >= 0);
        expect([...(theirs.get('text') ?? [])]).toEqual(spoken);
        expect(spoken).toHaveLength(Buffer.byteLength(text.join('')));
      }
    },
    300_000,
  );
});
