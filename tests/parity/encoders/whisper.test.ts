import { describe, expect, it } from 'vitest';
import { build, encode, expectGolden, expectSimilar, shapesOf } from './golden.ts';

const config = { encoder_attention_heads: 4 };
const shapes128 = shapesOf('whisper128');
const shapes = { 128: shapes128, 80: { ...shapes128, 'conv1.weight': [32, 80, 3] } };

describe("Whisper's encoder against transformers", () => {
  for (const mels of [80, 128] as const) {
    it(`reads ${mels} bands over its whole length, and a clip of its own length`, async () => {
      const encoder = build('whisper', shapes[mels], { config });
      expect(encoder).toMatchObject({ hidden: 32, maxPositions: 30, framesPerSecond: 50, unitSamples: 160 });
      expect(encoder.features).toMatchObject({ kind: 'whisper-log-mel', mels });
      expectGolden((await encode(encoder, 60)).encoder, `whisper${mels}.60`);
      expectGolden(
        (await encode(build('whisper', shapes[mels], { config }), 37)).encoder,
        `whisper${mels}.37`,
      );
    });
  }

  it.each(['cuda', 'directml', 'webgpu', 'coreml', 'plain'] as const)(
    'is the same for %s',
    async (target) => {
      const encoder = build('whisper', shapes[80], { config, target });
      expectGolden((await encode(encoder, 37)).encoder, 'whisper80.37');
    },
  );

  it.each(['dynamic-int8', 'byte-blocks'] as const)('stays close with %s', async (kind) => {
    const encoder = build('whisper', shapes[128], { config, kind });
    expectSimilar((await encode(encoder, 60)).encoder, 'whisper128.60');
  });
});

describe("Whisper's encoder, block-causal, against Ultravox's ModifiedWhisperEncoder", () => {
  // fixie-ai/ultravox at 648efe7f55510afff7adb45f076e904b3aba1d02, ultravox/model/ultravox_model.py with transformers 4.51.3 and
  // eager attention: the sizes of `whisper80` in make_golden.py, `init_latency_mask(block, float32)`, the same features.
  const file = 'ultravox.safetensors';

  it.each(['cpu', 'plain'] as const)(
    'hears a block of four frames at a time, in a clip that ends within one (%s)',
    async (target) => {
      const encoder = build('whisper', shapes[80], { config, options: { blockFrames: 4 }, target });
      expectGolden((await encode(encoder, 37)).encoder, 'blocks4.37', file);
    },
  );

  it('takes the block from audio_latency_block_size, unless the recipe says otherwise', async () => {
    const trained = { ...config, audio_latency_block_size: 10 };
    const encoder = build('whisper', shapes[80], { config: trained });
    expectGolden((await encode(encoder, 60)).encoder, 'blocks10.60', file);
    const whole = build('whisper', shapes[80], { config: trained, options: { blockFrames: null } });
    expectGolden((await encode(whole, 60)).encoder, 'whisper80.60');
  });
});
