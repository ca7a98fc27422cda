import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import type { ModelErrorCode } from '../../../native-models/errors.ts';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import type { TensorSource } from '../../../native-models/formats/tensor-source.ts';
import { golden, goldenConfig } from '../../fixtures/llms/golden.ts';
import { parameterShapes, sourceOf, tinyLora, tinyWeights } from '../../fixtures/llms/tiny-weights.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

interface Change {
  readonly of?: string;
  readonly config?: object;
  readonly weights?: TensorSource;
  readonly architecture?: string;
}

async function build({ of = 'llama', config, weights, architecture }: Change): Promise<void> {
  const folder = temporaryFolder();
  const own = goldenConfig(of);
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...own, ...config }));
  await buildLlm({
    ...{ weights: weights ?? tinyWeights(own), sourceFolder: folder, architecture: architecture ?? null },
    ...{ lora: null, quantize: 'none', target: 'cpu', folder },
  });
}

/** Weights of the llama case, one of them of another shape or, without one, left out. */
function weightsWith(name: string, shape?: readonly number[]): TensorSource {
  const shapes = Object.entries(parameterShapes(goldenConfig('llama')));
  return sourceOf(
    shapes.flatMap(([own, stored]) => {
      if (own === name && shape === undefined) return [];
      const size = own === name ? (shape ?? []) : stored;
      return [derivedTensor(own, size, () => new Float32Array(size.reduce((a, b) => a * b, 1)))];
    }),
  );
}

describe('a Hugging Face folder that cannot be built is refused by what is at fault', () => {
  const refused: [string, Change, ModelErrorCode, RegExp][] = [
    ['an unknown family', { config: { model_type: 'mamba' } }, 'not-supported', /architecture mamba/],
    ['a family the recipe alone knows', { architecture: 'rwkv' }, 'not-supported', /recipe.*rwkv/],
    ['a missing size', { config: { hidden_size: null } }, 'file-invalid', /hidden_size is missing/],
    ['an absurd size', { config: { num_hidden_layers: 1e9 } }, 'file-invalid', /num_hidden_layers/],
    ['text for a number', { config: { rms_norm_eps: '1e-6' } }, 'file-invalid', /rms_norm_eps/],
    ['heads that do not divide', { config: { num_key_value_heads: 3 } }, 'not-supported', /4 heads over 3/],
    ['an odd rotation', { config: { partial_rotary_factor: 0.1 } }, 'not-supported', /3 of 32 dimensions/],
    ['an activation', { config: { hidden_act: 'relu2' } }, 'not-supported', /hidden_act relu2/],
    [
      'scaled positions',
      { config: { rope_scaling: { type: 'mrope' } } },
      'not-supported',
      /scales positions by mrope/,
    ],
    [
      'a scaling without its factor',
      { config: { rope_scaling: { rope_type: 'linear' } } },
      'file-invalid',
      /rope_scaling: factor is missing/,
    ],
    ['a window in a llama', { config: { sliding_window: 4096 } }, 'not-supported', /sliding_window 4096/],
    [
      'levels of its own',
      { config: { quantization_config: { quant_method: 'gptq' } } },
      'not-supported',
      /quantization_config.*gptq/,
    ],
    [
      'layers of another type',
      { of: 'gemma3', config: { layer_types: ['chunked_attention', 'full_attention', 'full_attention'] } },
      'not-supported',
      /chunked_attention/,
    ],
    [
      'types for fewer layers',
      { of: 'gemma3', config: { layer_types: ['full_attention'] } },
      'file-invalid',
      /types of 1 layers, but has 3/,
    ],
    [
      'scores that are bent',
      { of: 'gemma3', config: { attn_logit_softcapping: 50 } },
      'not-supported',
      /attn_logit_softcapping 50/,
    ],
    [
      'positions that look ahead',
      { of: 'gemma3', config: { use_bidirectional_attention: true } },
      'not-supported',
      /use_bidirectional_attention true/,
    ],
    [
      'too few divisors',
      { of: 'phi3 with longrope on a part', config: { partial_rotary_factor: 1 } },
      'file-invalid',
      /short_factor/,
    ],
    [
      'a missing tensor',
      { weights: weightsWith('model.layers.1.mlp.up_proj.weight') },
      'tensor-missing',
      /layers\.1\.mlp\.up_proj/,
    ],
    [
      'no output matrix where one is said to be',
      { weights: weightsWith('lm_head.weight'), config: { tie_word_embeddings: false } },
      'tensor-missing',
      /lm_head/,
    ],
    [
      'no language model',
      { weights: weightsWith('model.embed_tokens.weight') },
      'tensor-missing',
      /hold no language model/,
    ],
    [
      'a matrix of another shape',
      { weights: weightsWith('model.layers.0.self_attn.k_proj.weight', [32, 64]) },
      'shape-mismatch',
      /k_proj\.weight is \[32, 64\], not \[64, 64\]/,
    ],
    [
      'a norm of another width',
      { weights: weightsWith('model.norm.weight', [32]) },
      'shape-mismatch',
      /\[32\], not \[64\]/,
    ],
  ];
  for (const [what, change, code, message] of refused)
    it(what, async () => {
      await expect(build(change)).rejects.toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(message) }),
      );
    });

  it('no config.json', async () => {
    const folder = temporaryFolder();
    rmSync(join(folder, 'config.json'), { force: true });
    const request = {
      ...{ weights: tinyWeights(goldenConfig('llama')), sourceFolder: folder, architecture: null },
      ...{ lora: null, quantize: 'none' as const, target: 'cpu' as const, folder },
    };
    await expect(buildLlm(request)).rejects.toThrow(/There is no .*config\.json/);
  });

  it('a LoRA for more layers than there are', async () => {
    const config = goldenConfig('llama');
    const longer = { ...config, num_hidden_layers: 3 };
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const lora = { tensors: tinyLora(longer, ['q_proj']), ...golden.lora, merged: false };
    const request = {
      ...{ weights: tinyWeights(config), sourceFolder: folder, architecture: null, lora },
      ...{ quantize: 'none' as const, target: 'cpu' as const, folder },
    };
    await expect(buildLlm(request)).rejects.toThrow(/LoRA reaches to layer 2, and the model has 2/);
  });
});
