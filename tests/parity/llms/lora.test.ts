import { describe, expect, it } from 'vitest';
import { golden, goldenConfig, goldenLogits } from '../../fixtures/llms/golden.ts';
import { tinyLora } from '../../fixtures/llms/tiny-weights.ts';
import { buildTiny, worstDifference } from './tiny-model.ts';

const { rank, alpha, targets, strengths } = golden.lora;

describe('a LoRA', () => {
  for (const [name, layers] of Object.entries(targets)) {
    const config = goldenConfig(name);
    it(`on ${layers.join(', ')} of ${name}: turned to 0, ½ and 1 while it runs`, async () => {
      const lora = { tensors: tinyLora(config, layers), rank, alpha, merged: false };
      const model = await buildTiny(config, { lora });
      expect(model.built.llm.lora).toEqual({ rank, scale: alpha / rank });
      for (const strength of [0, ...strengths]) {
        const expected = goldenLogits(strength === 0 ? name : `${name}, LoRA ${strength.toFixed(1)}`);
        const { rows, device } = await worstDifference(model, expected, (strength * alpha) / rank);
        expect(rows, `${strength}`).toBeLessThan(1e-4);
        expect(device, `${strength}`).toBeLessThan(1e-4);
      }
      await model.close();
    });

    it(`on ${name}, merged: the same without an input`, async () => {
      for (const strength of strengths) {
        const lora = { tensors: tinyLora(config, layers), rank, alpha: strength * alpha, merged: true };
        const model = await buildTiny(config, { lora });
        expect(model.built.llm.lora).toBeNull();
        const { rows, device } = await worstDifference(
          model,
          goldenLogits(`${name}, LoRA ${strength.toFixed(1)}`),
        );
        await model.close();
        expect(rows).toBeLessThan(1e-4);
        expect(device).toBeLessThan(1e-4);
      }
    });
  }

  const named: [string, (name: string) => string][] = [
    [
      "the project's own adaptors",
      (name) => name.replace('base_model.model.', 'lora.').replace(/lora_([AB])\.weight$/, '$1'),
    ],
    ['PEFT in training', (name) => name.replace(/\.weight$/, '.default.weight')],
    ["SALMONN's checkpoints", (name) => `llama_model.${name}`],
    [
      "SALMONN's checkpoints, newer, as they lie in the file",
      (name) => `model.llama_model.${name.replace(/\.weight$/, '.default.weight')}`,
    ],
  ];
  for (const [whose, rename] of named)
    it(`is found by the names of ${whose}`, async () => {
      const config = goldenConfig('llama');
      const lora = { tensors: tinyLora(config, targets.llama ?? [], rename), rank, alpha, merged: false };
      const model = await buildTiny(config, { lora });
      const { rows } = await worstDifference(model, goldenLogits('llama, LoRA 1.0'), alpha / rank);
      await model.close();
      expect(rows).toBeLessThan(1e-4);
    });
});
