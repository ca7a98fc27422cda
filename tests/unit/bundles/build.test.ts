import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import { parseRecipe, type Recipe } from '../../../native-models/bundles/recipe.ts';
import { openBundle } from '../../../native-models/bundles/verify.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { CTranslate2Model } from '../../../native-models/formats/ctranslate2.ts';
import { tiny, writeTinyTransformersWhisper, writeTinyWhisper } from './tiny-whisper.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-build-'));
  writeTinyWhisper(join(folder, 'tiny'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const recipeOf = (more: object = {}): Recipe =>
  parseRecipe(
    JSON.stringify({ id: 'tiny', encoder: { architecture: 'whisper', from: 'tiny' }, ...more }),
    'recipe.json',
  );
const build = (name: string, more: object = {}) =>
  buildBundle({ recipe: recipeOf(more), recipeFolder: folder, out: join(folder, name) });

async function encode(name: string, graph: string): Promise<Float32Array> {
  const session = await InferenceSession.create(join(folder, name, graph));
  const features = Float32Array.from({ length: tiny.mels * 60 }, (_, i) => Math.sin(i));
  const { encoder } = await session.run({ features: new Tensor('float32', features, [1, tiny.mels, 60]) });
  await session.release();
  expect(encoder?.dims).toEqual([1, 30, tiny.hidden]);
  return encoder?.data as Float32Array;
}

describe('building a bundle', () => {
  it('makes graphs that run, a manifest with the hash of every file, and nothing else', async () => {
    const manifest = await build('plain');
    expect(await openBundle(join(folder, 'plain'))).toEqual(manifest);
    const listed = manifest.files.map(({ path }) => path);
    expect(readdirSync(join(folder, 'plain')).toSorted()).toEqual([...listed, 'bundle.json'].toSorted());
    for (const { path, sha256 } of manifest.files)
      expect(
        createHash('sha256')
          .update(readFileSync(join(folder, 'plain', path)))
          .digest('hex'),
      ).toBe(sha256);
    expect(manifest).toMatchObject({
      llm: null,
      adaptor: null,
      capabilities: ['transcribe', 'translate-to-english', 'detect-language'],
      features: { mels: 80 },
      encoder: { hidden: tiny.hidden, maxPositions: tiny.positions },
      whisper: {
        heads: tiny.heads,
        vocabulary: tiny.vocabulary,
        maxTokens: tiny.maxTokens,
        tokens: {
          endOfText: 100,
          noSpeech: 108,
          firstTimestamp: 110,
          languages: { en: 102, de: 103 },
          suppress: [1, 2],
        },
      },
    });
    expect((await encode('plain', 'whisper-encoder.onnx')).every(Number.isFinite)).toBe(true);
  });

  it('in 8 bits hears what it hears with plain weights, on the CPU and elsewhere', async () => {
    const { encoder } = await build('bytes', { quantize: { encoder: 'q8' } });
    const plain = await encode('plain', 'whisper-encoder.onnx');
    for (const graph of [encoder?.graph, encoder?.deviceGraph ?? encoder?.graph])
      expect(cosineSimilarity(await encode('bytes', graph ?? ''), plain)).toBeGreaterThan(0.999);
  });

  it('from a folder of transformers is the same, byte for byte, as from one of CTranslate2', async () => {
    using weights = new CTranslate2Model(join(folder, 'tiny', 'model.bin'));
    await writeTinyTransformersWhisper(join(folder, 'transformers'), weights);
    const { whisper } = await build('renamed', {
      encoder: { architecture: 'whisper', from: 'transformers' },
    });
    // Keys have no bias there, and zeros in its place here.
    expect({ ...whisper, learnt: null }).toEqual({ ...(await build('plain')).whisper, learnt: null });
    for (const file of ['whisper-encoder.data', 'whisper-decoder.data'])
      expect(
        readFileSync(join(folder, 'renamed', file)).equals(readFileSync(join(folder, 'plain', file))),
      ).toBe(true);
    expect(await encode('renamed', 'whisper-encoder.onnx')).toEqual(
      await encode('plain', 'whisper-encoder.onnx'),
    );
    rmSync(join(folder, 'transformers', 'config.json'));
    await expect(
      build('renamed', { encoder: { architecture: 'whisper', from: 'transformers' } }),
    ).rejects.toMatchObject({ code: 'not-supported' });
  });

  it('keeps each part in the bits that the recipe names', async () => {
    const bytes = async (name: string, encoder: string) => {
      await build(name, { quantize: { encoder } });
      return statSync(join(folder, name, 'whisper-encoder.data')).size;
    };
    const plain = await bytes('plain', 'none');
    const nibbles = await bytes('nibbles', 'q4');
    expect(nibbles).toBeLessThan(plain);
    expect(await bytes('kept', 'keep')).toBe(plain);
  });

  it('takes sources from where it is told they lie', async () => {
    const recipe = recipeOf({ encoder: { architecture: 'whisper', from: 'elsewhere' } });
    const out = join(folder, 'placed');
    const sources = { elsewhere: join(folder, 'tiny') };
    await expect(buildBundle({ recipe, recipeFolder: folder, out })).rejects.toMatchObject({
      code: 'file-missing',
      message: expect.stringContaining('elsewhere'),
    });
    expect((await buildBundle({ recipe, recipeFolder: folder, sources, out })).id).toBe('tiny');
  });

  it('refuses an architecture that it cannot build, by its name, and leaves nothing behind', async () => {
    for (const [part, architecture] of [
      ['encoder', 'ear-trumpet'],
      ['secondEncoder', 'ear-trumpet'],
      ['adaptor', 'gearbox'],
    ] as const)
      await expect(build('unknown', { [part]: { architecture, from: 'tiny' } })).rejects.toMatchObject({
        code: 'not-supported',
        message: expect.stringContaining(architecture),
      });
    expect(readdirSync(folder).filter((name) => name.includes('unknown'))).toEqual([]);
  });

  it('refuses a source whose hash is not the recipe’s, naming both', async () => {
    const provenance = [{ file: 'tiny/model.bin', sha256: '0'.repeat(64), source: 'here', licence: 'none' }];
    const card = {
      ...{
        name: 'Tiny',
        summary: '',
        licence: 'none',
        languages: [],
        preferredEngine: 'cascade',
        figures: [],
      },
      ...{ generation: { maxTokens: 1, temperature: 0, topP: 1, repetitionPenalty: 1 }, provenance },
    };
    const found = createHash('sha256')
      .update(readFileSync(join(folder, 'tiny', 'model.bin')))
      .digest('hex');
    await expect(build('hashed', { card })).rejects.toMatchObject({
      code: 'file-invalid',
      message: expect.stringMatching(new RegExp(`${found}.*${'0'.repeat(64)}`)),
    });
  });

  it('refuses weights that are cut off, of another shape, or missing a tensor', async () => {
    const whole = readFileSync(join(folder, 'tiny', 'model.bin'));
    const variant = (bytes: Buffer) => {
      mkdirSync(join(folder, 'variant'), { recursive: true });
      writeFileSync(join(folder, 'variant', 'model.bin'), bytes);
      return build('refused', { encoder: { architecture: 'whisper', from: 'variant' } });
    };
    await expect(variant(whole.subarray(0, whole.length / 2))).rejects.toMatchObject({
      code: 'file-truncated',
    });
    const renamed = Buffer.from(whole);
    renamed.write('X', renamed.indexOf('encoder/layer_norm/gamma'));
    await expect(variant(renamed)).rejects.toMatchObject({ code: 'tensor-missing' });
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  it('never writes over a folder that is no bundle', async () => {
    mkdirSync(join(folder, 'precious'));
    writeFileSync(join(folder, 'precious', 'letter.txt'), 'dear');
    await expect(build('precious')).rejects.toMatchObject({ code: 'bundle-invalid' });
    expect(readdirSync(join(folder, 'precious'))).toEqual(['letter.txt']);
  });

  it('keeps the bundle that was there when it fails or is killed, and sweeps up after the dead', async () => {
    const out = join(folder, 'kept');
    await build('kept');
    const before = readFileSync(join(out, 'bundle.json'), 'utf8');
    const request = { recipe: recipeOf({ id: 'other' }), recipeFolder: folder, out };
    const onProgress = () => {
      throw new Error('stop here');
    };
    await expect(buildBundle({ ...request, onProgress })).rejects.toThrow('stop here');
    const script = `
      import { buildBundle } from ${JSON.stringify(new URL('../../../native-models/bundles/build.ts', import.meta.url))};
      const onProgress = ({ step }) => { if (step === 'hashes') process.kill(process.pid, 'SIGKILL'); };
      await buildBundle({ ...${JSON.stringify(request)}, onProgress });`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(child.signal).toBe('SIGKILL');
    expect(readFileSync(join(out, 'bundle.json'), 'utf8')).toBe(before);
    const drafts = () => readdirSync(folder).filter((name) => name.startsWith('.kept.building-'));
    expect(drafts()).toHaveLength(1);
    expect((await buildBundle(request)).id).toBe('other');
    expect(drafts()).toEqual([]);
    expect((await openBundle(out)).id).toBe('other');
  });
});
