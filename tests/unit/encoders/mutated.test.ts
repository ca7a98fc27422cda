import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { beatsShapes } from '../../fixtures/encoders/beats-shapes.ts';
import { numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { build, faultOf, renamed, type Shapes } from './requests.ts';

const models: Record<string, Shapes> = JSON.parse(
  readFileSync(new URL('../../fixtures/encoders/models.json', import.meta.url), 'utf8'),
);

/** What a file can do without, or have more of. */
const spare = /num_batches_tracked|ctc_head|^ctc\.|layers\.1\.self_attn\.relative_attention_bias/;

const families: readonly [string, Shapes, object, RegExp][] = [
  ['whisper', models.whisper128 ?? {}, { encoder_attention_heads: 4 }, /^embed_positions/],
  [
    'parakeet',
    models.parakeet ?? {},
    { encoder_config: { num_mel_bins: 24, attention_bias: true, convolution_bias: true } },
    spare,
  ],
  ['conformer', models.conformer ?? {}, { mels: 20, heads: 4 }, spare],
  [
    'beats',
    beatsShapes(6, 2),
    {
      encoder_attention_heads: 3,
      conv_pos_groups: 2,
      max_distance: 20,
      num_buckets: 16,
      relative_position_embedding: true,
      gru_rel_pos: true,
    },
    spare,
  ],
];

describe.each(families)('a file of %s', (name, shapes, config, spared) => {
  it('that lacks any one of its tensors is refused', () => {
    for (const lost of Object.keys(shapes).filter((tensor) => !spare.test(tensor))) {
      const source = renamed(numberedSource(shapes), (tensor) => (tensor === lost ? null : tensor));
      expect(
        faultOf(() => build(name, source, { config })),
        lost,
      ).toMatch(/^(tensor-missing|shape-mismatch|not-supported): /);
    }
  });

  it('of which a tensor is longer along any axis, or has one axis more, is refused', () => {
    for (const [tensor, shape] of Object.entries(shapes)) {
      if (spared.test(tensor)) continue;
      const longer = shape.map((_, axis) => shape.map((size, i) => (i === axis ? size + 1 : size)));
      for (const other of [...longer, [...shape, 2]]) {
        const source = numberedSource({ ...shapes, [tensor]: other });
        expect(
          faultOf(() => build(name, source, { config })),
          `${tensor} [${other}]`,
        ).toMatch(/^(shape-mismatch|not-supported): /);
      }
    }
  });
});
