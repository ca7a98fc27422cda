import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import { inspectBundle } from '../../../native-models/bundles/inspection/inspect.ts';
import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import type { Recipe } from '../../../native-models/bundles/recipe.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { transcribeRequestSchema } from '../../../src-main/contract/engine.ts';
import { config, exportedShapes, tiny } from '../../fixtures/adaptors/second-look.ts';
import { writeSecondLookWeights } from '../../fixtures/adaptors/second-look-bundle.ts';
import { writeWhisperFolder } from '../../fixtures/bundles/tiny-parts.ts';
import { EngineKit, greedy, spoken, writeClip } from '../../fixtures/engine/engine-kit.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { clip } from '../../parity/systems/system-kit.ts';

/** 1.3 s: with the tail 1.6 s, 80 frames of the encoder. */
const sound = clip(20_800);
const rounded = { encoder: 'q8', adaptor: 'q8', llm: 'keep' } as const;

let folder: string;
let recipe: Recipe;
let manifest: BundleManifest;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-second-look-'));
  recipe = await writeSecondLookWeights(folder);
  manifest = await build('exact');
});
afterAll(() => rmSync(folder, { recursive: true }));

function build(name: string, change: Partial<Recipe> = {}): Promise<BundleManifest> {
  return buildBundle({ recipe: { ...recipe, ...change }, recipeFolder: folder, out: join(folder, name) });
}

async function probe(name: string, prompt?: string) {
  const out = join(temporaryFolder(), 'probe.safetensors');
  const request = prompt === undefined ? {} : { prompt };
  await probeBundle({ folder: join(folder, name), clips: [sound], out, ...request });
  return new Safetensors(out);
}

/** What a bundle's adaptor makes of all frames of a probe. */
async function adapted(name: string, file: Safetensors): Promise<Float32Array> {
  const encoder = file.tensor('encoder');
  const session = await InferenceSession.create(join(folder, name, 'adaptor.onnx'));
  const given = new Tensor('float32', Float32Array.from(encoder.float32()), [1, ...encoder.shape]);
  const { adaptor } = await session.run({ encoder: given });
  await session.release();
  return adaptor?.data as Float32Array;
}

const labelsOf = (file: Safetensors) =>
  [...new BigInt64Array(file.tensor('labels').read().slice().buffer)].map(Number);
const isNew = (label: number, stack: number, labels: readonly number[]) =>
  label !== 0 && label !== labels[stack - 1];

describe('a bundle whose adaptor takes a second look', () => {
  it('says what it is made of: its own weights are counted, not the tables that it takes over', () => {
    expect(manifest.adaptor).toMatchObject({
      ...{ architecture: 'second-look', hidden: tiny.llmWidth, stack: 2, labels: true },
      ...{ selection: 'ctc-compress', tokens: { perSecond: 25 }, ctcTokens: config.vocab },
      padding: { kind: 'none', tailSeconds: 0.3, unitSamples: 2560 },
    });
    expect(manifest.llm?.lora).toEqual({ rank: 4, scale: 2 });
    expect(manifest.whisper).not.toBeNull();
    const own = Object.entries(exportedShapes).filter(([name]) => !name.startsWith('lora.'));
    const sizes = own.map(([, shape]) => shape.reduce((product, size) => product * size, 1));
    const part = inspectBundle(join(folder, 'exact')).parts.find(({ part }) => part === 'adaptor');
    expect(part?.parameters).toBe(sizes.filter((size) => size > 1).reduce((sum, size) => sum + size, 0));
  });

  it('hears every stack of frames, and the LLM reads those that say something new', async () => {
    using file = await probe('exact');
    const labels = labelsOf(file);
    expect(labels).toHaveLength(40);
    const vectors = await adapted('exact', file);
    expect(vectors).toHaveLength(labels.length * tiny.llmWidth);
    const kept = labels.flatMap((label, stack) => (isNew(label, stack, labels) ? [stack] : []));
    const expected = kept.flatMap((stack) => [
      ...vectors.subarray(stack * tiny.llmWidth, (stack + 1) * tiny.llmWidth),
    ]);
    expect([...file.tensor('adaptor').float32()]).toEqual(expected);
  });

  it('answers a spoken question as its own graphs do, and tells what it heard', async () => {
    using file = await probe('exact', '<s><|user|>{audio}</s><|assistant|>');
    const labels = labelsOf(file);
    const cacheFolder = temporaryFolder();
    const kit = new EngineKit(cacheFolder, { bundle: join(folder, 'exact'), engine: 'speech-llm' });
    const question = spoken(writeClip(cacheFolder, 'question.wav', sound));
    const { result, pieces } = await kit.ask([question], { sampling: { ...greedy, maxTokens: 6 } });
    await kit.engine.close();
    const heard = labels.filter(isNew);
    expect(result.usage).toMatchObject({ audioTokens: heard.length });
    expect(result.usage.promptTokens).toBe(file.tensor('ids').shape[0]);
    // The LLM's tokens are five special ones, then bytes.
    const letters = heard.map((label) => String.fromCodePoint((config.vocab[label - 1] ?? 0) - 5));
    expect(result.heardAs).toBe(letters.join(''));
    expect(pieces.join('')).toBe(result.text);
    expect(result.timings.adaptMs).toBeGreaterThan(0);
  });

  it('writes down what it hears, window by window', async () => {
    const cacheFolder = temporaryFolder();
    const path = writeClip(cacheFolder, 'long.wav', clip(32 * 16_000));
    const bundle = join(folder, 'exact');
    const kit = new EngineKit(cacheFolder, { bundle });
    const request = transcribeRequestSchema.parse({ bundle, device: 'cpu', path, engine: 'speech-llm' });
    const { segments, seconds } = await kit.engine.transcribe(request, {}, new AbortController().signal);
    await kit.engine.close();
    expect(seconds).toBeCloseTo(32, 2);
    expect(segments.length).toBe(2);
    expect(segments[0]?.end).toBe(segments[1]?.start);
    expect(segments.every(({ text }) => text.length > 0)).toBe(true);
  });

  it('in 8 bits hears nearly the same, in fewer bytes', async () => {
    const small = await build('rounded', { quantize: rounded });
    const bytes = ({ files }: BundleManifest) =>
      files.filter(({ part }) => part === 'adaptor').reduce((sum, file) => sum + file.bytes, 0);
    expect(bytes(small)).toBeLessThan(0.6 * bytes(manifest));
    expect(small.adaptor?.learnt?.kept).toEqual(['8-bit blocks', 'F32']);
    using file = await probe('exact');
    const [exact, other] = [await adapted('exact', file), await adapted('rounded', file)];
    expect(other).toHaveLength(exact.length);
    expect(cosineSimilarity(other, exact)).toBeGreaterThan(0.999);
  });

  it('is refused where the encoder comes without the decoder that it needs', async () => {
    await writeWhisperFolder(join(folder, 'encoder-alone'), 80, tiny.width);
    const encoder = { architecture: 'whisper', from: 'encoder-alone' };
    await expect(build('lone', { encoder })).rejects.toMatchObject({
      code: 'not-supported',
      message: expect.stringContaining("the encoder's weights hold none"),
    });
    expect(existsSync(join(folder, 'lone'))).toBe(false);
  });
});
