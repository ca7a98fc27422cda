import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../../../native-models/formats/tensor-source.ts';
import { numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { floats, runGraph, someNumbers, valuesOf } from '../graph/run-graph.ts';
import { build, faultOf, renamed, type Shapes } from './requests.ts';

const models: Record<string, Shapes> = JSON.parse(
  readFileSync(new URL('../../fixtures/encoders/models.json', import.meta.url), 'utf8'),
);
const parakeet = numberedSource(models.parakeet ?? {}, 0.4);
const conformer = numberedSource(models.conformer ?? {}, 0.4);
const parakeetConfig = { encoder_config: { num_mel_bins: 24 } };
const conformerConfig = { mels: 20, heads: 4 };

describe('an encoder with a CTC head', () => {
  it('is found inside another module', async () => {
    for (const [name, source, config] of [
      ['parakeet', parakeet, parakeetConfig],
      ['conformer', conformer, conformerConfig],
    ] as const) {
      const deeper = renamed(source, (tensor) => `model.audio.${tensor}`);
      expect(await encode(name, deeper, config)).toEqual(await encode(name, source, config));
    }
  });

  it('of transformers is a Conformer as well, with the features that it was trained on', async () => {
    const features = { kind: 'kaldi-fbank', window: 'hamming', mean: 11.5, deviation: 4.2 };
    const encoder = build('conformer', parakeet, { config: { ...parakeetConfig, features } });
    expect(encoder.features).toEqual({
      ...{ kind: 'kaldi-fbank', sampleRate: 16000, mels: 24, window: 'hamming', mean: 11.5, deviation: 4.2 },
      ...{ amplitude: 32768, preemphasis: 0.97, lowHertz: 20, highHertz: 8000 },
    });
    const nemo = build('conformer', conformer, {
      config: { ...conformerConfig, features: { kind: 'nemo-log-mel' } },
    });
    expect(nemo.features).toEqual({ kind: 'nemo-log-mel', sampleRate: 16000, mels: 20 });
  });

  it('names its labels as tokenizer.json does, and the blank nothing', () => {
    const vocab = { '<unk>': 0, '▁the': 1, ing: 3, outside: 99 };
    const tokenizer = { model: { vocab }, added_tokens: [{ id: 2, content: '<|x|>' }] };
    const labels = ['<unk>', '▁the', '<|x|>', 'ing', ...Array(7).fill('')];
    expect(build('parakeet', parakeet, { config: parakeetConfig, tokenizer }).ctcLabels).toEqual(labels);
    const pieces = {
      model: {
        vocab: [
          ['<unk>', 0],
          ['▁the', -1.5],
        ],
      },
    };
    expect(
      build('conformer', conformer, { config: conformerConfig, tokenizer: pieces }).ctcLabels?.slice(0, 3),
    ).toEqual([...['<unk>', '▁the', '']]);
    const plain = { a: 0, b: 1 };
    expect(
      build('conformer', conformer, { config: conformerConfig, tokenizer: plain }).ctcLabels?.slice(0, 2),
    ).toEqual(['a', 'b']);
    for (const nothing of [null, { model: { type: 'BPE' } }])
      expect(
        build('parakeet', parakeet, { config: parakeetConfig, tokenizer: nothing }).ctcLabels,
      ).toBeNull();
  });

  it('needs none: the encoder alone is whole', () => {
    const alone = renamed(parakeet, (name) => (name.startsWith('ctc_head') ? null : name));
    const encoder = build('parakeet', alone, { config: parakeetConfig, tokenizer: { a: 0 } });
    expect(encoder.graph.finish().outputs.map(({ name }) => name)).toEqual(['encoder']);
    expect(encoder.ctcLabels).toBeNull();
  });
});

describe('a Conformer that cannot be built is refused', () => {
  it.each([
    ['num_mel_bins', 'parakeet', { encoder_config: { num_mel_bins: 0 } }],
    ['num_mel_bins', 'parakeet', { num_mel_bins: 1e6 }],
    ['hidden_act', 'parakeet', { encoder_config: { num_mel_bins: 24, hidden_act: 'gelu' } }],
    ['subsampling_factor', 'parakeet', { encoder_config: { num_mel_bins: 24, subsampling_factor: 1e9 } }],
    ['features', 'parakeet', { ...parakeetConfig, features: { kind: 'mfcc' } }],
    [
      'features.deviation',
      'conformer',
      { ...conformerConfig, features: { kind: 'kaldi-fbank', deviation: 0 } },
    ],
    ['mels', 'conformer', { ...conformerConfig, mels: 2.5 }],
    ['heads', 'conformer', { ...conformerConfig, heads: -3 }],
  ])('with %s at fault, by its name', (field, name, config) => {
    const fault = faultOf(() => build(name, name === 'parakeet' ? parakeet : conformer, { config }));
    expect(fault).toContain('file-invalid: ');
    expect(fault).toContain(field);
  });

  it('when its settings tell of other layers, heads or bands than the weights have', () => {
    const layers = { encoder_config: { num_mel_bins: 24, num_hidden_layers: 3 } };
    expect(faultOf(() => build('parakeet', parakeet, { config: layers }))).toContain('says 3 layers');
    const bands = { encoder_config: { num_mel_bins: 80 } };
    expect(faultOf(() => build('parakeet', parakeet, { config: bands }))).toContain('shape-mismatch: ');
    const heads = { ...conformerConfig, heads: 5 };
    expect(faultOf(() => build('conformer', conformer, { config: heads }))).toContain('5 heads');
  });

  it('when a tensor is missing, be it in the middle', () => {
    const lost = {
      parakeet: [
        'encoder.layers.1.self_attn.bias_v',
        'encoder.subsampling.layers.3.weight',
        'encoder.layers.0.conv.norm.running_var',
      ],
      conformer: ['subsampling.conv.1.weight', 'conformer.conformer_layers.0.ffn2.sequential.1.bias'],
    };
    for (const [name, tensors] of Object.entries(lost))
      for (const tensor of tensors) {
        const whole = name === 'parakeet' ? parakeet : conformer;
        const source = renamed(whole, (own) => (own === tensor ? null : own));
        const config = name === 'parakeet' ? parakeetConfig : conformerConfig;
        expect(faultOf(() => build(name, source, { config }))).toContain('tensor-missing: ');
      }
  });

  it('when it is another model altogether, or counts modules without end', () => {
    for (const name of ['parakeet', 'conformer', 'beats', 'whisper'])
      expect(faultOf(() => build(name, numberedSource({ 'a.weight': [2, 2] })))).toMatch(
        /^(tensor-missing|not-supported): /,
      );
    const endless = numberedSource({
      ...models.conformer,
      'subsampling.conv.999999999.weight': [6, 6, 3, 3],
    });
    expect(faultOf(() => build('conformer', endless, { config: conformerConfig }))).toContain(
      'not-supported: ',
    );
  });

  it('when the recipe names an option that its family does not have', () => {
    const options = { blockFrames: 50 };
    expect(faultOf(() => build('parakeet', parakeet, { config: parakeetConfig, options }))).toContain(
      'blockFrames',
    );
    expect(faultOf(() => build('conformer', conformer, { config: conformerConfig, options }))).toContain(
      'blockFrames',
    );
  });

  it('by a name that no family has, with the names of those that there are', () => {
    expect(faultOf(() => build('wav2vec', parakeet))).toMatch(
      /^not-supported: .*whisper, conformer, parakeet, beats/,
    );
  });
});

async function encode(name: string, source: TensorSource, config: object): Promise<number[]> {
  const encoder = build(name, source, { config });
  const { mels } = encoder.features;
  const features = floats(someNumbers(mels * 40), [1, mels, 40]);
  const { encoder: frames, ctc } = await runGraph(encoder.graph, { features });
  return [...valuesOf(frames), ...valuesOf(ctc)];
}
