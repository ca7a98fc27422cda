import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildBundle } from '../../../native-models/bundles/build.ts';
import { refuseBundle } from '../../../native-models/bundles/export/fitting.ts';
import { exportUltravox } from '../../../native-models/bundles/export/ultravox.ts';
import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import { parseRecipe, type Recipe } from '../../../native-models/bundles/recipe.ts';
import { anyManifest } from '../../../native-models/published/any-manifest.ts';
import { linear, type Shapes, writeNumbered } from '../../fixtures/bundles/tiny-parts.ts';
import { projectorShapes, writeSpeechLlm } from '../../fixtures/export/tiny-speech-llm.ts';

const ultravox = projectorShapes(['ln_pre', 'linear_1', 'ln_mid', 'linear_2'], 8, true);
const chain = projectorShapes(['adaptor.0', 'adaptor.1', 'adaptor.3', 'adaptor.4'], 2);

let folder: string;
const at = (name: string) => join(folder, name);
let recipe: Recipe;
let manifest: BundleManifest;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-export-'));
  recipe = await writeSpeechLlm(folder, ultravox);
  manifest = await buildBundle({ recipe, recipeFolder: folder, out: at('bundle') });
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(at('out'), { recursive: true, force: true }));

const written = (change: Partial<Parameters<typeof exportUltravox>[0]> = {}) =>
  exportUltravox({ ...{ bundle: at('bundle'), recipe, recipeFolder: folder, out: at('out') }, ...change });

/** What building another recipe and exporting its bundle comes to. */
async function refusal(change: object, shapes: Shapes = ultravox): Promise<unknown> {
  await writeNumbered(at('other.safetensors'), shapes);
  const from = 'other.safetensors';
  const adaptor = { architecture: 'ultravox', from, ...('adaptor' in change ? Object(change.adaptor) : {}) };
  const other = parseRecipe(JSON.stringify({ ...recipe, ...change, adaptor }), 'the test’s recipe');
  await buildBundle({ recipe: other, recipeFolder: folder, out: at('other') });
  return written({ bundle: at('other'), recipe: other }).then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
}

describe('what Ultravox’s layout has no place for is refused, with what it has', () => {
  it.each<[string, RegExp, object, Shapes?]>([
    ['clips of 30 s', /30 s/, { padding: '30s' }],
    ['a tail of silence', /silence/, { adaptor: { tailSeconds: 0.5 } }],
    [
      'an encoder that hears blocks',
      /block by block/,
      {
        encoder: { architecture: 'whisper', from: 'whisper', blockFrames: 50 },
      },
    ],
    ['a linear adaptor', /is linear/, { adaptor: { architecture: 'linear' } }, linear('linear', 64, 32)],
    [
      'an MLP without norms',
      /is not RMS norm/,
      { adaptor: { architecture: 'mlp' } },
      {
        ...linear('adaptor.0', 48, 32),
        ...linear('adaptor.2', 64, 48),
      },
    ],
    ['frames that are left off', /leaves off/, { adaptor: { architecture: 'stack' } }, chain],
    [
      'an activation behind the second norm',
      /is not RMS norm/,
      {
        adaptor: { architecture: 'stack', remainder: 'pad' },
      },
      projectorShapes(['adaptor.0', 'adaptor.1', 'adaptor.2', 'adaptor.4'], 2),
    ],
    [
      'no activation',
      /no activation/,
      { adaptor: { architecture: 'stack', remainder: 'pad', activation: 'none' } },
      chain,
    ],
    ['a bias', /the bias linear_2.bias/, {}, { ...ultravox, 'linear_2.bias': [64] }],
    ['three norms', /both before and after/, {}, { ...ultravox, 'ln_post.weight': [64] }],
  ])('%s', async (_, fault, change, shapes) => {
    expect(await refusal(change, shapes)).toMatchObject({
      code: 'not-supported',
      message: expect.stringMatching(fault),
      hint: expect.stringMatching(/What can be is Whisper alone/),
    });
    expect(existsSync(at('out'))).toBe(false);
  });

  it('a CTC head, a second encoder, another encoder, and a part that is missing', () => {
    const { encoder, adaptor } = manifest;
    if (encoder === null || adaptor === null || manifest.features === null) throw new Error('it was built');
    const secondEncoder = { ...encoder, architecture: 'beats', features: manifest.features };
    expect(() => refuseBundle({ ...manifest, adaptor: { ...adaptor, labels: true } })).toThrow(/CTC head/);
    expect(() => refuseBundle({ ...manifest, secondEncoder })).toThrow(/second encoder, beats/);
    const other = { ...encoder, architecture: 'conformer' };
    expect(() => refuseBundle({ ...manifest, encoder: other })).toThrow(/encoder is conformer/);
    expect(() => refuseBundle({ ...manifest, llm: null })).toThrow(/lacks/);
    expect(() => refuseBundle(manifest)).not.toThrow();
  });

  it('a bundle without its recipe, or with another bundle’s', async () => {
    await expect(written({ recipe: null })).rejects.toThrow(/weights it was built from/);
    await expect(written({ recipe: { ...recipe, id: 'other' } })).rejects.toThrow(/id is other.*tiny/);
    const llm = { from: 'elsewhere' };
    await expect(written({ recipe: { ...recipe, llm } })).rejects.toThrow(/llm.from is elsewhere/);
  });
});

describe('an export', () => {
  it('takes no other’s place, and leaves nothing behind when it fails', async () => {
    await expect(written({ out: at('bundle') })).rejects.toThrow(/something at/);
    expect(existsSync(at('bundle/bundle.json'))).toBe(true);
    const before = readdirSync(folder).toSorted();
    const weights = at('llm/model.safetensors');
    const whole = readFileSync(weights);
    truncateSync(weights, whole.length - 4);
    await expect(written()).rejects.toMatchObject({ code: 'file-truncated' });
    writeFileSync(weights, whole);
    expect(readdirSync(folder).toSorted()).toEqual(before);
  });

  it('copies no code that a configuration names, and no name of a file out of the weights', async () => {
    const path = at('llm/config.json');
    const config = readFileSync(path, 'utf8');
    const hostile = {
      auto_map: { AutoModel: '../evil.Model' },
      _name_or_path: '/etc',
      torch_dtype: 'float64',
    };
    writeFileSync(path, JSON.stringify({ ...JSON.parse(config), ...hostile }));
    await written();
    writeFileSync(path, config);
    const { text_config, auto_map } = JSON.parse(readFileSync(at('out/config.json'), 'utf8'));
    expect(text_config).toMatchObject({ model_type: 'llama', torch_dtype: 'float32' });
    expect(Object.keys(text_config)).not.toEqual(expect.arrayContaining(['auto_map']));
    expect(JSON.stringify({ text_config, auto_map })).not.toMatch(/evil|etc/);
    expect(readdirSync(at('out')).toSorted()).toEqual([
      'README.md',
      'chat_template.jinja',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'preprocessor_config.json',
      'processor_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });

  it('is no published bundle: what takes one says that a recipe makes one of it', async () => {
    await written();
    expect(() => anyManifest(at('out'))).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/build a bundle out of model.safetensors/) }),
    );
  });

  it('says positions so that older versions of transformers read them too', async () => {
    const path = at('llm/config.json');
    const config = readFileSync(path, 'utf8');
    const { rope_theta: _, ...others } = JSON.parse(config);
    const rope_parameters = { rope_type: 'yarn', factor: 4, rope_theta: 1000 };
    writeFileSync(path, JSON.stringify({ ...others, rope_parameters }));
    await written();
    writeFileSync(path, config);
    const { text_config } = JSON.parse(readFileSync(at('out/config.json'), 'utf8'));
    expect(text_config).toMatchObject({
      rope_parameters,
      rope_theta: 1000,
      rope_scaling: { rope_type: 'yarn', factor: 4 },
    });
  });

  it('refuses a language model that it cannot name to transformers, or whose tokens have gaps', async () => {
    const path = at('llm/tokenizer.json');
    const tokenizer = readFileSync(path, 'utf8');
    const parsed = JSON.parse(tokenizer);
    const words = Object.keys(parsed.model.vocab);
    const gap = Object.fromEntries(words.map((word, id) => [word, id < 200 ? id : id + 1]));
    writeFileSync(path, JSON.stringify({ ...parsed, model: { ...parsed.model, vocab: gap } }));
    await expect(written()).rejects.toThrow(/not numbered one after another/);
    writeFileSync(path, tokenizer);
    const config = readFileSync(at('llm/config.json'), 'utf8');
    writeFileSync(at('llm/config.json'), JSON.stringify({ ...JSON.parse(config), model_type: 'unheard' }));
    const named: Recipe = { ...recipe, llm: { from: 'llm', architecture: 'llama' } };
    await expect(written({ recipe: named })).rejects.toThrow(/model_type unheard/);
    writeFileSync(at('llm/config.json'), config);
  });
});
