import { describe, expect, it } from 'vitest';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { type AdaptorCase, adapted, adaptorRequest, expectParity } from './adaptor-kit.ts';
import { qFormerShapes, salmonnShapes } from './q-former-shapes.ts';

const torch = (name: string) => ({ file: 'adaptors', name });
const blip2 = { crossLayers: [0, 2], layers: 3, width: 48, inner: 80, frames: 48 };

const cases: Record<string, AdaptorCase> = {
  "torch's linear layer": {
    architecture: 'linear',
    golden: torch('linear.bias'),
    shapes: { 'aligner.weight': [32, 48], 'aligner.bias': [32] },
    frames: 7,
  },
  "torch's linear layer without a bias": {
    architecture: 'linear',
    golden: torch('linear.plain'),
    shapes: { 'aligner.weight': [32, 48] },
    frames: 7,
  },
  "transformers' projector of LLaVA": {
    architecture: 'mlp',
    golden: torch('mlp.llava'),
    config: { projector_hidden_act: 'gelu', vocab_size: 32000 },
    shapes: {
      'multi_modal_projector.linear_1.weight': [32, 48],
      'multi_modal_projector.linear_1.bias': [32],
      'multi_modal_projector.linear_2.weight': [32, 32],
      'multi_modal_projector.linear_2.bias': [32],
    },
    frames: 7,
  },
  "torch's Sequential of norm, linear, ReLU, dropout, linear": {
    architecture: 'mlp',
    golden: torch('mlp.sequential'),
    options: { activation: 'relu' },
    shapes: {
      'projector.0.weight': [48],
      'projector.0.bias': [48],
      'projector.1.weight': [80, 48],
      'projector.1.bias': [80],
      'projector.4.weight': [32, 80],
      'projector.4.bias': [32],
    },
    frames: 5,
  },
  "torch's two convolutions, 4×": {
    architecture: 'conv',
    golden: torch('conv.two'),
    shapes: {
      'adaptor.layers.0.weight': [32, 48, 3],
      'adaptor.layers.0.bias': [32],
      'adaptor.layers.1.weight': [32, 32, 3],
      'adaptor.layers.1.bias': [32],
    },
    frames: 21,
  },
  "torch's two convolutions, 8×": {
    architecture: 'conv',
    golden: torch('conv.two-8x'),
    options: { strides: [2, 4] },
    shapes: {
      'adaptor.layers.0.weight': [32, 48, 5],
      'adaptor.layers.0.bias': [32],
      'adaptor.layers.1.weight': [32, 32, 4],
    },
    frames: 43,
  },
  "torch's three convolutions, 8×, and a linear layer": {
    architecture: 'conv',
    golden: torch('conv.three'),
    shapes: {
      'adaptor.layers.0.weight': [32, 48, 3],
      'adaptor.layers.0.bias': [32],
      'adaptor.layers.1.weight': [48, 32, 3],
      'adaptor.layers.1.bias': [48],
      'adaptor.layers.2.weight': [32, 48, 3],
      'adaptor.layers.2.bias': [32],
      'adaptor.layers.3.weight': [32, 32],
      'adaptor.layers.3.bias': [32],
    },
    frames: 37,
  },
  'a convolution whose kernels stand side by side, with ReLU': {
    architecture: 'conv',
    golden: torch('conv.side-by-side'),
    options: { strides: [5], activation: 'relu' },
    shapes: {
      'adaptor.layers.0.weight': [32, 48, 5],
      'adaptor.layers.0.bias': [32],
      'adaptor.layers.1.weight': [64, 32],
      'adaptor.layers.1.bias': [64],
      'adaptor.layers.2.weight': [32, 64],
      'adaptor.layers.2.bias': [32],
    },
    frames: 23,
  },
  'three frames stacked and projected': {
    architecture: 'stack',
    golden: torch('stack.one'),
    options: { stack: 3 },
    shapes: { 'adaptor.weight': [32, 144], 'adaptor.bias': [32] },
    frames: 11,
  },
  'three frames stacked, the last stack filled with zeros': {
    architecture: 'stack',
    golden: torch('stack.padded'),
    options: { remainder: 'pad' },
    shapes: { 'adaptor.weight': [32, 144], 'adaptor.bias': [32] },
    frames: 11,
  },
  "five frames stacked and SLAM-LLM's two layers": {
    architecture: 'stack',
    golden: torch('stack.two'),
    shapes: {
      'encoder_projector.linear1.weight': [64, 240],
      'encoder_projector.linear1.bias': [64],
      'encoder_projector.linear2.weight': [32, 64],
      'encoder_projector.linear2.bias': [32],
    },
    frames: 23,
  },
  "transformers' Q-Former of BLIP-2": {
    architecture: 'q-former',
    golden: torch('q-former.blip2'),
    config: { qformer_config: { num_attention_heads: 3 } },
    shapes: {
      ...qFormerShapes('qformer.', 'attention', blip2),
      query_tokens: [1, 5, 48],
      'language_projection.weight': [32, 48],
      'language_projection.bias': [32],
    },
    frames: 13,
  },
  'a Q-Former with a norm after its projection': {
    architecture: 'q-former',
    golden: torch('q-former.slam'),
    options: { heads: 3 },
    shapes: {
      ...qFormerShapes('qformer.', 'attention', blip2),
      query: [1, 5, 48],
      'linear.weight': [32, 48],
      'linear.bias': [32],
      'norm.weight': [32],
      'norm.bias': [32],
    },
    frames: 13,
  },
  "transformers' projector of Granite Speech, the last window filled with zeros": {
    architecture: 'window-q-former',
    golden: torch('window-q-former.granite'),
    config: { projector_config: { num_attention_heads: 3 }, window_size: 6, num_attention_heads: 32 },
    options: { remainder: 'pad' },
    shapes: {
      ...qFormerShapes('projector.qformer.', 'attention', { ...blip2, crossLayers: [0, 1], layers: 2 }),
      'projector.query': [1, 2, 48],
      'projector.linear.weight': [32, 48],
      'projector.linear.bias': [32],
    },
    frames: 13,
  },
  "SALMONN's windows over two encoders, the second the shorter": {
    architecture: 'window-q-former',
    golden: { file: 'salmonn', name: 'salmonn.second-shorter' },
    options: { heads: 3 },
    shapes: salmonnShapes(1, 2, true),
    frames: 75,
    secondFrames: 71,
  },
  "SALMONN's windows over two encoders, the second the longer": {
    architecture: 'window-q-former',
    golden: { file: 'salmonn', name: 'salmonn.second-longer' },
    options: { heads: 3, windowSeconds: 0.333333, strideSeconds: 0.333333 },
    shapes: salmonnShapes(1, 2, true),
    frames: 80,
    secondFrames: 86,
  },
  "SALMONN's code with overlapping windows, four queries and three layers": {
    architecture: 'window-q-former',
    golden: { file: 'salmonn', name: 'salmonn.overlapping' },
    options: { heads: 3, windowSeconds: 0.32, strideSeconds: 0.2 },
    shapes: salmonnShapes(4, 3, false),
    frames: 53,
  },
  "SALMONN's Q-Former over the whole clip": {
    architecture: 'q-former',
    golden: { file: 'salmonn', name: 'salmonn.whole-clip' },
    options: { heads: 3 },
    shapes: salmonnShapes(3, 2, true),
    frames: 20,
    secondFrames: 23,
  },
  "Ultravox's projector with ln_mid": {
    architecture: 'ultravox',
    golden: { file: 'ultravox', name: 'ultravox.mid' },
    config: { projector_act: 'swiglu', stack_factor: 8 },
    shapes: {
      'multi_modal_projector.ln_pre.weight': [384],
      'multi_modal_projector.linear_1.weight': [96, 384],
      'multi_modal_projector.linear_2.weight': [32, 48],
      'multi_modal_projector.ln_mid.weight': [48],
    },
    frames: 29,
  },
  "Ultravox's projector with ln_post": {
    architecture: 'ultravox',
    golden: { file: 'ultravox', name: 'ultravox.post' },
    shapes: {
      'multi_modal_projector.ln_pre.weight': [384],
      'multi_modal_projector.linear_1.weight': [96, 384],
      'multi_modal_projector.linear_2.weight': [32, 48],
      'multi_modal_projector.ln_post.weight': [32],
    },
    frames: 24,
  },
  "Ultravox's projector with GELU and stacks of four": {
    architecture: 'ultravox',
    golden: { file: 'ultravox', name: 'ultravox.gelu' },
    config: { projector_act: 'gelu' },
    shapes: {
      'multi_modal_projector.ln_pre.weight': [192],
      'multi_modal_projector.linear_1.weight': [96, 192],
      'multi_modal_projector.linear_2.weight': [32, 96],
      'multi_modal_projector.ln_mid.weight': [96],
    },
    frames: 11,
  },
};

describe.each(Object.entries(cases))('the adaptor equals %s', (_, given) => {
  it('as it is', () => expectParity(given));

  it('in operators of the ONNX standard alone', () => expectParity(given, { target: 'plain' }));

  it('with 8-bit blocks', () => expectParity(given, { kind: 'byte-blocks' }));

  it('with activations rounded on the way', () => expectParity(given, { kind: 'dynamic-int8' }));
});

describe('the windows of SALMONN', () => {
  it('are 88 of a clip of 30 s, which Whisper makes 1500 frames of and BEATs 1496', async () => {
    const given = { options: { heads: 3 }, shapes: salmonnShapes(1, 2, true), secondFrames: 1496 };
    const built = adaptorArchitecture('window-q-former').build(adaptorRequest(given));
    const { dims } = await adapted(built, { frames: 1500, secondFrames: 1496 });
    expect(dims).toEqual([1, 88, 32]);
  });
});
