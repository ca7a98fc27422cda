import { describe, expect, it } from 'vitest';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import { loraParts } from '../../../native-models/layers/lora.ts';
import { loraPairs } from '../../../native-models/layers/lora-pairs.ts';
import { sourceOf } from '../../fixtures/llms/tiny-weights.ts';

function pairsOf(names: readonly string[]) {
  const shape = (name: string) => (/A(\.|$)/.test(name) ? [2, 8] : [6, 2]);
  const tensors = names.map((name) => derivedTensor(name, shape(name), () => new Float32Array(16)));
  return loraPairs(sourceOf(tensors), 2);
}

const peft = 'base_model.model.model.layers.3.self_attn.q_proj.lora_';

describe('the tensors of a LoRA', () => {
  it('are found by layer and module, among those of other parts', () => {
    const pairs = pairsOf([
      'model.speech_Qformer.bert.encoder.layer.0.attention.self.query.weight',
      'audio_tower.layers.0.self_attn.q_proj.lora_A.weight',
      'audio_tower.layers.0.self_attn.q_proj.lora_B.weight',
      'model.llama_model.base_model.model.model.layers.1.self_attn.v_proj.lora_A.default.weight',
      'model.llama_model.base_model.model.model.layers.1.self_attn.v_proj.lora_B.default.weight',
    ]);
    expect(pairs.layers).toBe(2);
    expect(pairs.pair(1, 'v_proj')?.a.shape).toEqual([2, 8]);
    expect(pairs.pair(0, 'q_proj')).toBeNull();
    expect(pairs.pair(1, 'q_proj')).toBeNull();
  });

  const refused: [string, readonly string[], RegExp][] = [
    ['none', ['audio_tower.layers.0.self_attn.q_proj.lora_A.weight'], /has no tensors for a language model/],
    ['two adapters', [`${peft}A.default.weight`, `${peft}A.other.weight`], /for one layer/],
    ['a changed output matrix', [`${peft}A.weight`, 'base_model.model.lm_head.lora_A.weight'], /lm_head/],
    ['a changed table', ['base_model.model.model.embed_tokens.lora_embedding_A'], /embed_tokens/],
    ['magnitudes', [`${peft}A.weight`, `${peft}magnitude_vector`], /magnitude_vector/],
    ['another module', ['model.layers.0.block_sparse_moe.gate.lora_A.weight'], /block_sparse_moe/],
  ];
  for (const [what, names, message] of refused)
    it(`${what}: refused by name`, () => {
      expect(() => pairsOf(names)).toThrow(message);
    });

  it('half a pair, and pairs of other sizes, are refused by name', () => {
    expect(() => pairsOf([`${peft}A.weight`]).pair(3, 'q_proj')).toThrow(/but not the other half/);
    const pairs = pairsOf([`${peft}A.weight`, `${peft}B.weight`]);
    const target = { name: 'q_proj', first: 0, outputs: 6 };
    expect(loraParts(pairs, 3, [target], 8)).toHaveLength(1);
    expect(() => loraParts(pairs, 3, [target], 16)).toThrow(/lora_A.*\[2, 8\], not \[2, 16\]/);
    expect(() => loraParts(pairs, 3, [{ ...target, outputs: 4 }], 8)).toThrow(
      /lora_B.*\[6, 2\], not \[4, 2\]/,
    );
  });
});
