import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseRecipe, readRecipe } from '../../../native-models/bundles/recipe.ts';

describe('a recipe', () => {
  it('may leave every part out', () => {
    expect(parseRecipe('{"id":"bare"}', 'r')).toMatchObject({
      quantize: { encoder: 'none', adaptor: 'none', llm: 'keep' },
      target: 'webgpu',
    });
  });

  it('of the default bundle is sound', () => {
    const recipe = readRecipe(
      fileURLToPath(new URL('../../../resources/bundles/parlance-mini/recipe.json', import.meta.url)),
    );
    expect(recipe).toMatchObject({
      id: 'parlance-mini',
      padding: 'none',
      card: { preferredEngine: 'cascade' },
    });
  });

  it('is refused with the field at fault', () => {
    for (const [recipe, field] of [
      ['{"id":"Upper Case"}', 'id'],
      ['{"id":"a","encoder":{"architecture":"whisper"}}', 'encoder.from'],
      ['{"id":"a","padding":"10s"}', 'padding'],
      ['{"id":"a","lora":{"from":"x","rank":0,"alpha":16}}', 'lora.rank'],
      ['{"id":"a","quantize":{"llm":"q3"}}', 'quantize.llm'],
      ['{"id":"a","encodr":{}}', 'encodr'],
      ['{"id":"a","adaptor":{"architecture":"linear","from":"x","tailSeconds":9}}', 'adaptor.tailSeconds'],
      ['{"id":"a","lora":{"from":"x","rank":8,"alpha":16,"merge":true}}', 'merge'],
      ['{"id":"a","target":"abacus"}', 'target'],
      ['[]', 'the recipe itself'],
    ] as const)
      expect(() => parseRecipe(recipe, 'here.json')).toThrow(
        expect.objectContaining({ code: 'file-invalid', message: expect.stringContaining(field) }),
      );
    expect(() => parseRecipe('{', 'here.json')).toThrow(/not JSON/);
    expect(() => readRecipe('/nowhere/recipe.json')).toThrow(
      expect.objectContaining({ code: 'file-missing' }),
    );
  });
});
