import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isPublishedBundle, openPublished } from '../../../native-models/published/open-published.ts';
import { publishedManifest } from '../../../native-models/published/published-manifest.ts';
import { writePublished } from '../../fixtures/published/published-kit.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await writePublished(temporaryFolder(), 'ultravox');
});

function change(name: string, changes: object): void {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
}

function runtime(settings: object): void {
  change('config.json', { 'transformers.js_config': settings });
}

describe('a folder in the layout of transformers.js', () => {
  it('is told from a bundle of the foundry and from any other folder', () => {
    expect(isPublishedBundle(folder)).toBe(true);
    expect(isPublishedBundle(temporaryFolder())).toBe(false);
    writeFileSync(join(folder, 'bundle.json'), '{}');
    expect(isPublishedBundle(folder)).toBe(false);
  });

  it('says what it is before a weight is read', () => {
    const bundle = openPublished(folder);
    expect(bundle).toMatchObject({
      modelType: 'ultravox',
      audioToken: 127,
      bosToken: 1,
      eosTokens: [2, 3],
      contextLength: 2048,
      decoder: {
        dtype: 'fp32',
        path: 'onnx/decoder_model_merged.onnx',
        externalData: ['onnx/decoder_model_merged.onnx_data'],
      },
    });
    const manifest = publishedManifest(bundle);
    expect(manifest.generation).toMatchObject({ temperature: 0.6, topP: 0.9 });
    expect(manifest.llm).toMatchObject({ layers: 2, hidden: 32, kvHeads: 2, headSize: 12, vocabulary: 128 });
    expect(manifest.files.map(({ path }) => path)).toContain('onnx/embed_tokens.onnx_data');
  });

  it('is known by its graphs where config.json says nothing, or null', () => {
    change('config.json', { text_config: { head_dim: null, num_attention_heads: null }, audio_config: null });
    const { layout, vocabulary } = openPublished(folder);
    expect(vocabulary).toBe(128);
    expect(layout).toMatchObject({ hidden: 32, positionIds: 'int64', logitsToKeep: null });
    expect(layout.pasts).toHaveLength(4);
    expect(layout.pasts[0]).toMatchObject({ heads: 2, headSize: 12, type: 'float32' });
    expect(openPublished(folder, { dtype: { decoder_model_merged: 'q4f16' } }).layout.pasts[0]?.type).toBe(
      'float16',
    );
  });

  it('has its audio token under any of its names, or by its text', () => {
    change('config.json', { ignore_index: 126 });
    expect(openPublished(folder).audioToken).toBe(126);
    change('config.json', { ignore_index: -100, audio_token_id: 125 });
    expect(openPublished(folder).audioToken).toBe(125);
    change('config.json', { ignore_index: -100, audio_token_id: undefined, audio_token_index: undefined });
    expect(openPublished(folder).audioToken).toBe(127);
  });

  it('has its first token by its id, or by the name that the tokenizer has for it', () => {
    change('generation_config.json', { bos_token_id: null });
    change('tokenizer_config.json', { bos_token: { content: '<|end|>' } });
    expect(openPublished(folder).bosToken).toBe(2);
    change('tokenizer_config.json', { bos_token: null });
    expect(openPublished(folder).bosToken).toBeNull();
  });

  it('has its template in the tokenizer settings, by name, or in a file of its own', () => {
    change('tokenizer_config.json', {
      chat_template: [
        { name: 'tool_use', template: 'tools' },
        { name: 'default', template: 'plain' },
      ],
    });
    expect(openPublished(folder).chatTemplate).toBe('plain');
    writeFileSync(join(folder, 'chat_template.jinja'), 'own');
    expect(openPublished(folder).chatTemplate).toBe('own');
    rmSync(join(folder, 'chat_template.jinja'));
    change('tokenizer_config.json', { chat_template: undefined });
    expect(() => openPublished(folder)).toThrow(/lacks a chat_template/);
  });
});

describe('the kind of weights', () => {
  it('is the one that is asked for, for all graphs or for one', () => {
    expect(openPublished(folder, { dtype: { decoder_model_merged: 'q8' } }).decoder.path).toBe(
      'onnx/decoder_model_merged_quantized.onnx',
    );
    expect(() => openPublished(folder, { dtype: 'q4' })).toThrow(/lacks onnx\/audio_encoder_q4\.onnx/);
  });

  it('is else the one of the settings, those for CPUs before those for all', () => {
    runtime({ dtype: { decoder_model_merged: 'q8' } });
    expect(openPublished(folder).decoder.dtype).toBe('q8');
    runtime({
      dtype: 'q8',
      device_config: {
        cpu: { dtype: { decoder_model_merged: 'fp16' } },
        webgpu: { dtype: { decoder_model_merged: 'q4f16' } },
      },
    });
    expect(openPublished(folder).decoder.dtype).toBe('fp16');
  });

  it('is else the best that is there', () => {
    runtime({});
    expect(openPublished(folder)).toMatchObject({
      decoder: { dtype: 'q4' },
      audioEncoder: { dtype: 'fp32' },
      embedTokens: { dtype: 'fp32' },
    });
    runtime({ dtype: 'q2f16' });
    expect(openPublished(folder).decoder.dtype).toBe('q4');
    for (const name of ['', '_q4', '_fp16', '_q4f16'])
      rmSync(join(folder, `onnx/decoder_model_merged${name}.onnx`));
    expect(openPublished(folder).decoder.dtype).toBe('q8');
  });

  it('brings as many files of weights as the settings say, by number, by graph or by file', () => {
    const files = () => openPublished(folder).decoder.externalData;
    runtime({ dtype: 'fp32' });
    expect(files()).toEqual(['onnx/decoder_model_merged.onnx_data']);
    runtime({ dtype: 'fp32', use_external_data_format: true });
    expect(files()).toEqual(['onnx/decoder_model_merged.onnx_data']);
    runtime({ dtype: 'fp32', use_external_data_format: { 'decoder_model_merged.onnx': 3 } });
    expect(() => files()).toThrow(/lacks onnx\/decoder_model_merged\.onnx_data_1\./);
    writeFileSync(join(folder, 'onnx/decoder_model_merged.onnx_data_1'), '');
    writeFileSync(join(folder, 'onnx/decoder_model_merged.onnx_data_2'), '');
    expect(files()).toHaveLength(3);
  });
});

describe('a folder that cannot be used', () => {
  it('with a model of another type is refused by its name', () => {
    change('config.json', { model_type: 'qwen2_audio' });
    expect(() => openPublished(folder)).toThrow(/"qwen2_audio" cannot be used/);
    change('config.json', { model_type: 'constructor' });
    expect(() => openPublished(folder)).toThrow(/"constructor" cannot be used/);
  });

  it.each(['preprocessor_config.json', 'tokenizer_config.json', 'onnx/embed_tokens.onnx'])(
    'without %s says so',
    (name) => {
      rmSync(join(folder, name));
      expect(() => openPublished(folder)).toThrow(`lacks ${name}.`);
    },
  );

  it('with a wrong field names the file and the field', () => {
    change('config.json', { text_config: { vocab_size: 'many' } });
    expect(() => openPublished(folder)).toThrow(/config\.json .* is wrong at text_config\.vocab_size/);
    writeFileSync(join(folder, 'config.json'), '{');
    expect(() => openPublished(folder)).toThrow(/config\.json .* is no JSON/);
  });

  it('that reaches outside by a link is refused', () => {
    const outside = join(temporaryFolder(), 'weights');
    renameSync(join(folder, 'onnx/embed_tokens.onnx'), outside);
    symlinkSync(outside, join(folder, 'onnx/embed_tokens.onnx'));
    expect(() => openPublished(folder)).toThrow(/embed_tokens\.onnx .* is not a plain file/);
  });

  it('cannot name files elsewhere in its settings', () => {
    runtime({ dtype: '../../etc/passwd', use_external_data_format: { '../decoder_model_merged': 5 } });
    expect(openPublished(folder).decoder).toMatchObject({
      dtype: 'q4',
      externalData: ['onnx/decoder_model_merged_q4.onnx_data'],
    });
    rmSync(join(folder, 'config.json'));
    mkdirSync(join(folder, 'config.json'));
    expect(() => isPublishedBundle(folder)).toThrow(/not a plain file/);
  });
});
