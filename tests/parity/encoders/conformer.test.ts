import { describe, expect, it } from 'vitest';
import { build, encode, expectGolden, expectSimilar, shapesOf } from './golden.ts';

const parakeet = { config: { encoder_config: { num_mel_bins: 24 } } };

describe("Parakeet against transformers' ParakeetForCTC", () => {
  it('gives frames of 80 ms and the scores of its CTC head', async () => {
    const encoder = build('parakeet', shapesOf('parakeet'), parakeet);
    expect(encoder).toMatchObject({
      hidden: 32,
      maxPositions: null,
      framesPerSecond: 12.5,
      unitSamples: 1,
    });
    expect(encoder.features).toEqual({ kind: 'nemo-log-mel', sampleRate: 16000, mels: 24 });
    const { encoder: frames, ctc } = await encode(encoder, 61);
    expectGolden(frames, 'parakeet.61');
    expectGolden(ctc, 'parakeet.61.ctc');
  });

  it('is what a clip with a masked frame behind it gives, as processors hand it over', async () => {
    const { encoder: frames } = await encode(build('parakeet', shapesOf('parakeet'), parakeet), 61);
    expectGolden(frames, 'parakeet.61.masked');
  });

  it('reads a clip of a single frame', async () => {
    const { encoder: frames, ctc } = await encode(build('parakeet', shapesOf('parakeet'), parakeet), 8);
    expectGolden(frames, 'parakeet.8');
    expectGolden(ctc, 'parakeet.8.ctc');
  });

  it('reads an encoder alone, without biases, unscaled and of another factor', async () => {
    const bare = { attention_bias: false, convolution_bias: false, scale_input: false };
    const config = { num_mel_bins: 12, subsampling_factor: 4, ...bare };
    const encoder = build('parakeet', shapesOf('parakeetEncoder'), { config });
    expect(encoder.framesPerSecond).toBe(25);
    const outputs = await encode(encoder, 33);
    expectGolden(outputs.encoder, 'parakeetEncoder.33');
    expect(Object.keys(outputs)).toEqual(['encoder']);
  });

  it.each(['directml', 'webgpu', 'plain'] as const)('is the same for %s', async (target) => {
    const encoder = build('parakeet', shapesOf('parakeet'), { ...parakeet, target });
    expectGolden((await encode(encoder, 61)).encoder, 'parakeet.61');
  });

  it.each(['dynamic-int8', 'byte-blocks'] as const)('stays close with %s', async (kind) => {
    const encoder = build('parakeet', shapesOf('parakeet'), { ...parakeet, kind });
    expectSimilar((await encode(encoder, 61)).encoder, 'parakeet.61');
  });
});

describe("AudioChatLlama's Conformer against torchaudio's", () => {
  it('gives frames of 80 ms and the scores of its CTC head', async () => {
    const encoder = build('conformer', shapesOf('conformer'), { config: { mels: 20, heads: 4 } });
    expect(encoder).toMatchObject({
      hidden: 32,
      maxPositions: null,
      framesPerSecond: 12.5,
      unitSamples: 1280,
    });
    expect(encoder.features).toMatchObject({ kind: 'kaldi-fbank', mels: 20 });
    const { encoder: frames, ctc } = await encode(encoder, 77);
    expectGolden(frames, 'conformer.77');
    expectGolden(ctc, 'conformer.77.ctc');
  });

  it('convolves before it attends where its settings say so', async () => {
    const config = { mels: 20, heads: 4, convolution_first: true };
    const { encoder: frames } = await encode(build('conformer', shapesOf('conformer'), { config }), 77);
    expectGolden(frames, 'conformerConvolutionFirst.77');
  });

  it('is read just the same inside another module, for a provider with standard operators alone', async () => {
    const config = { mels: 20, heads: 4 };
    const encoder = build('conformer', shapesOf('conformer'), { config, target: 'plain' });
    expectGolden((await encode(encoder, 77)).encoder, 'conformer.77');
  });
});
