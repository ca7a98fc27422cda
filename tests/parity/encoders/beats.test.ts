import { describe, expect, it } from 'vitest';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import type { TensorSource } from '../../../native-models/formats/tensor-source.ts';
import { beatsShapes } from '../../fixtures/encoders/beats-shapes.ts';
import { numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { build, encode, expectGolden, expectSimilar, spread } from './golden.ts';

// microsoft/unilm at 768a3c873f598bb9b4d4dfb9267b099e35f8fe56, beats/BEATs.py: `extract_features` with the features in place of
// `preprocess`, BEATsConfig with the settings below and input_patch_size 16, embed_dim 20, encoder_layers 2, encoder_embed_dim 24,
// encoder_ffn_embed_dim 40, num_buckets 16, finetuned_model False. All layers share one table, filled under the first one's name.
const file = 'beats.safetensors';
const cfg = {
  encoder_layers: 2,
  encoder_attention_heads: 3,
  activation_fn: 'gelu',
  layer_norm_first: false,
  deep_norm: true,
  conv_pos_groups: 2,
  relative_position_embedding: true,
  max_distance: 20,
  gru_rel_pos: true,
};
const normFirst = {
  ...cfg,
  activation_fn: 'relu',
  layer_norm_first: true,
  deep_norm: false,
  conv_pos_groups: 4,
  gru_rel_pos: false,
};

describe('BEATs against its own code', () => {
  it('reads patches with gated relative positions, the shared table from the first layer', async () => {
    const encoder = build('beats', beatsShapes(6, 2), { config: { cfg } });
    expect(encoder).toMatchObject({ hidden: 24, framesPerSecond: 50, maxPositions: null, ctcLabels: null });
    expect(encoder.features).toMatchObject({ kind: 'kaldi-fbank', mels: 128, mean: 15.41663 });
    // 93 frames: five time steps of eight patches, farther apart than the table's last bucket; the rest is no whole patch.
    expectGolden((await encode(encoder, 93)).encoder, 'beats.93', file);
  });

  it('reads a clip of a single time step', async () => {
    expectGolden(
      (await encode(build('beats', beatsShapes(6, 2), { config: cfg }), 16)).encoder,
      'beats.16',
      file,
    );
  });

  it('norms first where its settings say so, without gates and with an odd kernel', async () => {
    const encoder = build('beats', beatsShapes(5, 4), { config: { cfg: normFirst } });
    expectGolden((await encode(encoder, 50)).encoder, 'beatsNormFirst.50', file);
  });

  it('reads the weight norm by its newer names, inside another module', async () => {
    const encoder = build(
      'beats',
      {},
      { config: cfg, weights: renamed(numberedSource(beatsShapes(6, 2), spread)) },
    );
    expectGolden((await encode(encoder, 93)).encoder, 'beats.93', file);
  });

  it.each(['directml', 'webgpu', 'plain'] as const)('is the same for %s', async (target) => {
    expectGolden(
      (await encode(build('beats', beatsShapes(6, 2), { config: cfg, target }), 93)).encoder,
      'beats.93',
      file,
    );
  });

  it.each(['dynamic-int8', 'byte-blocks'] as const)('stays close with %s', async (kind) => {
    const encoder = build('beats', beatsShapes(6, 2), { config: cfg, kind });
    expectSimilar((await encode(encoder, 93)).encoder, 'beats.93', file);
  });
});

/** The same tensors as newer versions of PyTorch name them, behind a prefix. */
function renamed(source: TensorSource): TensorSource {
  const newer = (name: string) =>
    `beats.${name
      .replace('weight_g', 'parametrizations.weight.original0')
      .replace('weight_v', 'parametrizations.weight.original1')}`;
  const names = new Map(source.names().map((name) => [newer(name), name]));
  return {
    names: () => [...names.keys()],
    has: (name) => names.has(name),
    tensor: (name) => {
      const tensor = source.tensor(names.get(name) ?? name);
      return derivedTensor(name, tensor.shape, () => tensor.float32());
    },
  };
}
