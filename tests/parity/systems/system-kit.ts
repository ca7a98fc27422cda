import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import type { ProbeRequest } from '../../../native-models/bundles/probe-request.ts';
import { readRecipe } from '../../../native-models/bundles/recipe.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { transcribeRequestSchema } from '../../../src-main/contract/engine.ts';
import { readCacheFile } from '../../../src-main/engine/caches/cache-files.ts';
import { EngineKit, greedy, spoken, writeClip } from '../../fixtures/engine/engine-kit.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const fixtures = (name: string) => new URL(`../../fixtures/systems/${name}`, import.meta.url);

export const answerSchema = z.object({
  before: z.array(z.number()),
  after: z.array(z.number()),
  soundPositions: z.number(),
  answer: z.array(z.number()),
  text: z.string(),
});
const goldenSchema = answerSchema.extend({ shapes: z.record(z.string(), z.array(z.number())) }).loose();

export type GoldenAnswer = z.infer<typeof answerSchema>;

/** What a generator of tests/fixtures/systems wrote down. */
export function golden(name: string) {
  const facts = goldenSchema.parse(JSON.parse(readFileSync(fixtures(`${name}.json`), 'utf8')));
  const file = new Safetensors(fixtures(`${name}.safetensors`).pathname);
  return {
    facts,
    /** The prompt's ids, -1 where the sound is. */
    ids: [...facts.before, ...new Array<number>(facts.soundPositions).fill(-1), ...facts.after],
    sampled: (tensor: string) => file.tensor(tensor).float32(),
  };
}

/** The clip of golden.py: rounded as 16-bit sound is. */
export function clip(samples: number): Float32Array {
  const noise = numbered('clip', [samples], 0.3);
  return noise.map((value, i) => Math.round(value * Math.sin(i / 900) ** 2 * 32_767) / 32_768);
}

/** Builds a recipe of resources/recipes in single precision, out of what lies in `folder`/weights. */
export async function buildSystem(name: string, folder: string): Promise<BundleManifest> {
  const recipe = readRecipe(join('resources', 'recipes', `${name}.json`));
  const quantize = { encoder: 'none', adaptor: 'none', llm: 'none' } as const;
  return buildBundle({ recipe: { ...recipe, quantize }, recipeFolder: folder, out: join(folder, name) });
}

/** Probes a bundle and compares: the ids, and every tensor that the golden has. `names` are other names of the golden's. */
export async function expectProbe(
  folder: string,
  request: Omit<ProbeRequest, 'folder' | 'out'>,
  name: string,
  names: Readonly<Record<string, string>> = {},
): Promise<void> {
  const expected = golden(name);
  const out = join(temporaryFolder(), 'probe.safetensors');
  await probeBundle({ ...request, folder, out });
  using probe = new Safetensors(out);
  const ids = new BigInt64Array(probe.tensor('ids').read().buffer);
  expect([...ids].map(Number)).toEqual(expected.ids);
  for (const tensor of probe.names().filter((tensorName) => tensorName !== 'ids')) {
    const key = names[tensor] ?? tensor;
    const found = probe.tensor(tensor);
    expect(found.shape, tensor).toEqual(expected.facts.shapes[key]);
    expectClose(tensor, found.float32(), expected.sampled(key));
  }
}

/** Sampled as golden.py samples; within 1e-4 of the largest magnitude. */
function expectClose(name: string, found: Float32Array, expected: Float32Array): void {
  const apart = found.length <= 400 ? 1 : Math.ceil(found.length / 400) | 1;
  const largest = found.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let worst = 0;
  expected.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - (found[i * apart] ?? Number.NaN)));
  });
  expect(expected.length, name).toBe(Math.ceil(found.length / apart));
  expect(worst / largest, `${name}, of its largest magnitude`).toBeLessThan(1e-4);
}

/** Asks the engine the clip, and gives its result with the very tokens that it generated. */
export async function askAloud(bundle: string, samples: Float32Array, maxTokens: number) {
  const cacheFolder = temporaryFolder();
  const question = spoken(writeClip(cacheFolder, 'question.wav', samples));
  const kit = new EngineKit(cacheFolder, { bundle, engine: 'speech-llm' });
  const { result, pieces } = await kit.ask([question], { sampling: { ...greedy, maxTokens } });
  await kit.engine.close();
  const { answers } = await keptHeader(cacheFolder);
  return { result, pieces, tokens: answers[0]?.[1] ?? [] };
}

const headerSchema = z.object({
  units: z.array(z.unknown()),
  answers: z.array(z.tuple([z.string(), z.array(z.number())])),
});

/** What the engine kept of the only conversation in its cache folder: the units that were read, the tokens of its answers. */
export async function keptHeader(cacheFolder: string): Promise<z.infer<typeof headerSchema>> {
  const [snapshot = ''] = readdirSync(join(cacheFolder, 'kv'));
  const file = await readCacheFile(join(cacheFolder, 'kv', snapshot), 'prl-kv-1', headerSchema);
  if (file === null) throw new Error(`the engine kept nothing in ${cacheFolder}`);
  return file.header;
}

/** What a bundle writes down of a clip when it is not told by which engine. */
export async function writeDown(bundle: string, samples: Float32Array): Promise<string> {
  const cacheFolder = temporaryFolder();
  const path = writeClip(cacheFolder, 'spoken.wav', samples);
  const kit = new EngineKit(cacheFolder, { bundle });
  const request = transcribeRequestSchema.parse({ bundle, device: 'cpu', path });
  const { text } = await kit.engine.transcribe(request, {}, new AbortController().signal);
  await kit.engine.close();
  return text;
}
