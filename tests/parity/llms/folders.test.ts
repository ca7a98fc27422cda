import { describe, expect, it } from 'vitest';
import { golden, goldenConfig, goldenLogits } from '../../fixtures/llms/golden.ts';
import { tinyWeights } from '../../fixtures/llms/tiny-weights.ts';
import { buildTiny, worstDifference } from './tiny-model.ts';

describe('logits of every position are those of transformers, whether the prompt is read at once, in pieces or token by token', () => {
  for (const { name, config } of golden.cases)
    for (const target of ['cpu', 'plain'] as const)
      it(`${name}, made for ${target}`, async () => {
        const model = await buildTiny(config, { target });
        const { rows, device } = await worstDifference(model, goldenLogits(name));
        await model.close();
        expect(rows).toBeLessThan(1e-4);
        expect(device).toBeLessThan(1e-4);
      });
});

describe('a language model inside another model', () => {
  const wrapped: [string, (name: string) => string][] = [
    ['language_model.', (name) => `language_model.${name}`],
    ['model.language_model.', (name) => name.replace(/^model\./, 'model.language_model.')],
    ['llm.', (name) => `llm.${name}`],
    ['no prefix at all', (name) => name.replace(/^model\./, '')],
  ];
  for (const [prefix, rename] of wrapped)
    it(`is found under ${prefix}, its config within the other's`, async () => {
      const config = goldenConfig('llama');
      const json = { model_type: 'ultravox', hidden_size: 7, text_config: config };
      const model = await buildTiny(config, { weights: tinyWeights(config, rename) }, json);
      const { rows } = await worstDifference(model, goldenLogits('llama'));
      await model.close();
      expect(rows).toBeLessThan(1e-4);
    });
});

describe('the manifest', () => {
  it('says which layers look back through a window', async () => {
    const model = await buildTiny(goldenConfig('gemma3'));
    await model.close();
    expect(model.built.llm).toMatchObject({
      ...{
        architecture: 'gemma3',
        layers: 3,
        hidden: 64,
        heads: 4,
        kvHeads: 2,
        headSize: 32,
        vocabulary: 13,
      },
      ...{ slidingWindow: { positions: 5, layers: 2 }, tokenizer: null, bosToken: 1, eosTokens: [2] },
    });
    const plain = await buildTiny(goldenConfig('llama'));
    await plain.close();
    expect(plain.built.llm.slidingWindow).toBeNull();
  });

  it('gives the token table as the model adds it up', async () => {
    const [scaled, plain] = [goldenConfig('gemma3'), goldenConfig('granite')];
    for (const [config, factor] of [
      [scaled, 8],
      [plain, 1],
    ] as const) {
      const model = await buildTiny(config);
      await model.close();
      const table = tinyWeights(config).tensor('model.embed_tokens.weight').float32();
      const given = model.built.embeddings;
      expect(given.float32()).toEqual(table.map((value) => factor * value));
      expect(given.rows(3, 2).float32()).toEqual(table.slice(3 * 64, 5 * 64).map((value) => factor * value));
    }
  });

  it('ends the context where the short divisors of LongRoPE do', async () => {
    const model = await buildTiny(goldenConfig('phi3 with longrope on a part'));
    await model.close();
    expect(model.built.llm.contextLength).toBe(64);
  });
});
