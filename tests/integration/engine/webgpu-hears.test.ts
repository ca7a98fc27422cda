import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import { readRecipe } from '../../../native-models/bundles/recipe.ts';
import { writeClip } from '../../fixtures/engine/engine-kit.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';
import { writeAudioChatLlama } from '../../fixtures/systems/checkpoints.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

/** The software Vulkan driver inside Debian's chromium package. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const program = join(import.meta.dirname, '../../fixtures/engine/webgpu-hears.ts');

async function answerOn(provider: string, bundle: string, clip: string): Promise<object> {
  const drivers = { VK_ICD_FILENAMES: softwareDriver, VK_DRIVER_FILES: softwareDriver };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, bundle, clip, temporaryFolder(), provider],
    { env: { ...process.env, ...drivers, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir() } },
  );
  return JSON.parse(stdout);
}

it.runIf(existsSync(softwareDriver))(
  'a Conformer is heard and ten beams are searched on WebGPU with the CPU’s own answer',
  async () => {
    const folder = temporaryFolder();
    await writeAudioChatLlama(folder);
    const recipe = readRecipe(join('resources', 'recipes', 'audiochatllama.json'));
    const quantize = { encoder: 'none', adaptor: 'none', llm: 'none' } as const;
    const bundle = join(folder, 'bundle');
    await buildBundle({ recipe: { ...recipe, quantize }, recipeFolder: folder, out: bundle });
    const clip = writeClip(folder, 'clip.wav', numbered('clip', [16_000], 0.3));
    const onCpu = await answerOn('cpu', bundle, clip);
    expect(await answerOn('webgpu', bundle, clip)).toEqual({ ...onCpu, provider: 'webgpu' });
    expect(onCpu).toMatchObject({ usage: { completionTokens: 4 } });
  },
  240_000,
);
