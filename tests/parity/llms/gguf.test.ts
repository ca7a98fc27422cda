import { describe, expect, it } from 'vitest';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import { rotaryFrequencies } from '../../../native-models/layers/rotary.ts';
import { goldenConfig, goldenLogits, type TinyConfig } from '../../fixtures/llms/golden.ts';
import {
  type GgufMetadata,
  type GgufTensor,
  ggufMetadata,
  ggufTensors,
  writeGguf,
} from '../../fixtures/llms/tiny-gguf.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { OpenModel, rowsReader } from './open-model.ts';
import { buildTiny, readInPieces, singly, worstDifference } from './tiny-model.ts';

interface Written {
  readonly architecture: string;
  readonly metadata?: GgufMetadata;
  readonly tensors?: readonly GgufTensor[];
}

/** What llama.cpp's converter writes of each case. */
const files: Record<string, Written> = {
  llama: {
    architecture: 'llama',
    metadata: { 'rope.freq_base': { float: 10_000 }, 'attention.layer_norm_rms_epsilon': { float: 1e-5 } },
  },
  'llama with biases and llama3 positions': {
    architecture: 'llama',
    metadata: { 'rope.freq_base': { float: 500 } },
    tensors: [llama3Divisors()],
  },
  'llama with yarn': {
    architecture: 'llama',
    metadata: {
      'rope.freq_base': { float: 1000 },
      'rope.scaling.type': 'yarn',
      'rope.scaling.factor': { float: 4 },
      'rope.scaling.original_context_length': 32,
    },
  },
  qwen3: { architecture: 'qwen3', metadata: { 'rope.freq_base': { float: 1_000_000 } } },
  phi3: {
    architecture: 'phi3',
    metadata: {
      'attention.layer_norm_rms_epsilon': { float: 1e-5 },
      'rope.freq_base': { float: 10_000 },
      'attention.sliding_window': 9,
      'rope.dimension_count': 16,
    },
  },
  'phi3 with longrope on a part': {
    architecture: 'phi3',
    metadata: {
      'attention.layer_norm_rms_epsilon': { float: 1e-5 },
      context_length: 256,
      'rope.dimension_count': 24,
      'rope.scaling.original_context_length': 64,
      'rope.scaling.attn_factor': { float: Math.sqrt(1 + Math.log(4) / Math.log(64)) },
    },
    tensors: [
      {
        name: 'rope_factors_short.weight',
        shape: [12],
        values: Float32Array.of(1, 1.1, 1.2, 1.3, 1.5, 1.7, 2, 2.1, 2.4, 3, 3.5, 4),
      },
    ],
  },
  granite: {
    architecture: 'granite',
    metadata: {
      embedding_scale: { float: 3 },
      residual_scale: { float: 0.6 },
      'attention.scale': { float: 0.125 },
      logit_scale: { float: 8 },
    },
  },
};

/** What the converter puts in place of `rope_scaling` of the type llama3. */
function llama3Divisors(): GgufTensor {
  const plain = { dimensions: 16, theta: 500 };
  const bent = {
    kind: 'llama3' as const,
    ...{ factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 32 },
  };
  const before = rotaryFrequencies({ ...plain, scaling: { kind: 'none' } }).frequencies;
  const after = rotaryFrequencies({ ...plain, scaling: bent }).frequencies;
  return {
    name: 'rope_freqs.weight',
    shape: [8],
    values: before.map((frequency, i) => frequency / (after[i] ?? Number.NaN)),
  };
}

async function build(metadata: GgufMetadata, tensors: readonly GgufTensor[]): Promise<OpenModel> {
  using gguf = new Gguf(writeGguf(metadata, tensors));
  const folder = temporaryFolder();
  const built = await buildLlm({
    ...{ weights: gguf, sourceFolder: folder, architecture: null, lora: null, folder },
    ...{ quantize: 'none', target: 'cpu' },
  });
  return new OpenModel(folder, built, { intraOpNumThreads: 1 });
}

describe('a GGUF file, by the conventions of its family, gives the logits of transformers', () => {
  for (const [name, { architecture, metadata, tensors = [] }] of Object.entries(files))
    it(name, async () => {
      const config = goldenConfig(name);
      const model = await build(ggufMetadata(architecture, config, metadata), [
        ...ggufTensors(config),
        ...tensors,
      ]);
      const { rows, device } = await worstDifference(model, goldenLogits(name));
      await model.close();
      expect(model.built.llm).toMatchObject({ architecture, tokenizer: null });
      expect(rows).toBeLessThan(1e-4);
      expect(device).toBeLessThan(1e-4);
    });
});

describe('a GGUF file that cannot say what the case says is the model of its family by default', () => {
  const shape = { vocab_size: 13, hidden_size: 64, intermediate_size: 96 };
  const heads = { num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 128 };
  const plain = { ...shape, ...heads, attention_bias: false, mlp_bias: false };
  const defaults: [TinyConfig, Written][] = [
    [
      { ...plain, model_type: 'qwen2', num_hidden_layers: 2, rope_theta: 1e6 },
      { architecture: 'qwen2', metadata: { 'rope.freq_base': { float: 1e6 } } },
    ],
    [
      {
        ...plain,
        ...{ model_type: 'gemma3_text', num_hidden_layers: 7, head_dim: 32, sliding_window: 5 },
        ...{ query_pre_attn_scalar: 32, rope_scaling: { rope_type: 'linear', factor: 8 } },
      },
      {
        architecture: 'gemma3',
        metadata: {
          'rope.freq_base': { float: 1e6 },
          'attention.sliding_window': 5,
          'rope.scaling.type': 'linear',
          'rope.scaling.factor': { float: 8 },
        },
      },
    ],
    [
      { ...plain, model_type: 'smollm3', num_hidden_layers: 5, rope_theta: 5e6 },
      { architecture: 'smollm3', metadata: { 'rope.freq_base': { float: 5e6 } } },
    ],
  ];
  for (const [config, { architecture, metadata }] of defaults)
    it(architecture, async () => {
      const folder = await buildTiny(config);
      const gguf = await build(ggufMetadata(architecture, config, metadata), ggufTensors(config));
      const expected = await readInPieces(await rowsReader(folder, 0, 32), singly);
      const { rows, device } = await worstDifference(gguf, expected);
      await folder.close();
      await gguf.close();
      expect(rows).toBeLessThan(2e-5);
      expect(device).toBeLessThan(2e-5);
    });
});
