import { describe, expect, it } from 'vitest';
import { whisperSource } from '../../../native-models/architectures/encoders/whisper-source.ts';
import { numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { floats, runGraph, someNumbers, valuesOf } from '../graph/run-graph.ts';
import { build, faultOf, renamed, type Shapes } from './requests.ts';

const config = { encoder_attention_heads: 4 };
const plain = numberedSource(whisperShapes(), 0.4);

/** What openai-whisper calls the modules of transformers. */
const openAiNames: readonly [RegExp, string][] = [
  [/^layers/, 'blocks'],
  [/self_attn_layer_norm/, 'attn_ln'],
  [/self_attn\.q_proj/, 'attn.query'],
  [/self_attn\.k_proj/, 'attn.key'],
  [/self_attn\.v_proj/, 'attn.value'],
  [/self_attn\.out_proj/, 'attn.out'],
  [/final_layer_norm/, 'mlp_ln'],
  [/^layer_norm/, 'ln_post'],
  [/fc1/, 'mlp.0'],
  [/fc2/, 'mlp.2'],
  [/embed_positions\.weight/, 'positional_embedding'],
];

describe('a Whisper of any publisher', () => {
  it.each(['', 'model.encoder.', 'audio_tower.', 'speech_encoder.', 'model.speech_encoder.'])(
    'is found under the names of transformers, behind "%s"',
    async (prefix) => {
      const source = renamed(plain, (name) => prefix + name);
      const encoder = build('whisper', source, { config });
      expect(await encode(encoder)).toEqual(await encode(build('whisper', plain, { config })));
    },
  );

  it('is found in a checkpoint of openai-whisper, whose dims say the heads', async () => {
    const source = renamed(
      plain,
      (name) =>
        `model_state_dict.encoder.${openAiNames.reduce((text, [from, to]) => text.replace(from, to), name)}`,
    );
    const encoder = build('whisper', source, { config: { dims: { n_audio_head: 4 } } });
    expect(await encode(encoder)).toEqual(await encode(build('whisper', plain, { config })));
  });

  it('has the heads of audio_config where it is a part of a speech LLM, as Ultravox and Voxtral write it', async () => {
    const wanted = await encode(build('whisper', plain, { config }));
    for (const audio_config of [{ encoder_attention_heads: 4 }, { num_attention_heads: 4 }])
      expect(await encode(build('whisper', plain, { config: { audio_config } }))).toEqual(wanted);
  });

  it('has no bias of keys but zeros, and those of queries and values in their places', () => {
    const bias = whisperSource(plain, config).tensor('encoder/layer_0/self_attention/linear_0/bias');
    const values = Array.from(bias.float32());
    expect(bias.shape).toEqual([72]);
    expect(values.slice(24, 48).every((value) => value === 0)).toBe(true);
    expect(values.slice(48)).toEqual(Array.from(plain.tensor('layers.0.self_attn.v_proj.bias').float32()));
  });

  it('has no decoder where there is an encoder alone', () => {
    const source = whisperSource(plain, config);
    expect(source.has('encoder/conv1/weight')).toBe(true);
    expect(source.has('decoder/embeddings/weight')).toBe(false);
  });
});

describe('a Whisper that cannot be built is refused', () => {
  it.each([
    ['audio_config.encoder_attention_heads', { audio_config: { encoder_attention_heads: 0 } }],
    ['encoder_attention_heads', { encoder_attention_heads: 1e9 }],
    ['encoder_attention_heads', { encoder_attention_heads: '4' }],
    ['activation_function', { ...config, activation_function: 'relu' }],
    ['scale_embedding', { ...config, scale_embedding: true }],
    ['audio_latency_block_size', { ...config, audio_latency_block_size: -1 }],
  ])('with %s at fault, by its name', (field, config) => {
    const fault = faultOf(() => build('whisper', plain, { config }));
    expect(fault).toContain('file-invalid: ');
    expect(fault).toContain(` ${field}: `);
  });

  it('when the recipe names an option that it does not have, or a block of nothing', () => {
    expect(faultOf(() => build('whisper', plain, { config, options: { blockFrames: 0 } }))).toContain(
      'blockFrames',
    );
    expect(faultOf(() => build('whisper', plain, { config, options: { blockframes: 50 } }))).toContain(
      'blockframes',
    );
  });

  it('when heads do not share its width, or nothing says how many there are', () => {
    const tooMany = { encoder_attention_heads: 5 };
    expect(faultOf(() => build('whisper', plain, { config: tooMany }))).toContain('not-supported: ');
    expect(faultOf(() => build('whisper', plain))).toContain('not-supported: ');
  });

  it('when a tensor is missing, be it in the middle', () => {
    for (const lost of [
      'layers.1.self_attn.k_proj.weight',
      'conv2.weight',
      'layers.0.fc1.weight',
      'layers.0.self_attn.q_proj.bias',
    ]) {
      const source = renamed(plain, (name) => (name === lost ? null : name));
      const fault = faultOf(() => build('whisper', source, { config }));
      expect(fault).toContain('tensor-missing: ');
    }
  });

  it('when a tensor is of another shape, naming it', () => {
    const shapes = { ...whisperShapes(), 'conv2.weight': [24, 24, 5] };
    const fault = faultOf(() => build('whisper', numberedSource(shapes), { config }));
    expect(fault).toContain('shape-mismatch: conv2.weight');
  });
});

async function encode(encoder: ReturnType<typeof build>): Promise<number[]> {
  const features = floats(someNumbers(80 * 20), [1, 80, 20]);
  return valuesOf((await runGraph(encoder.graph, { features })).encoder);
}

/** Under the names of transformers. */
function whisperShapes(): Shapes {
  const both = (name: string, ...shape: number[]) => ({
    [`${name}.weight`]: shape,
    [`${name}.bias`]: shape.slice(0, 1),
  });
  const layer = (at: string) => ({
    [`${at}.self_attn.k_proj.weight`]: [24, 24],
    ...both(`${at}.self_attn.v_proj`, 24, 24),
    ...both(`${at}.self_attn.q_proj`, 24, 24),
    ...both(`${at}.self_attn.out_proj`, 24, 24),
    ...both(`${at}.self_attn_layer_norm`, 24),
    ...both(`${at}.fc1`, 40, 24),
    ...both(`${at}.fc2`, 24, 40),
    ...both(`${at}.final_layer_norm`, 24),
  });
  return {
    ...both('conv1', 24, 80, 3),
    ...both('conv2', 24, 24, 3),
    'embed_positions.weight': [30, 24],
    ...layer('layers.0'),
    ...layer('layers.1'),
    ...both('layer_norm', 24),
  };
}
