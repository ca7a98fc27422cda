import { type BuiltLlama, buildLlama } from '../architectures/llms/llama.ts';
import { ModelError } from '../errors.ts';
import { Gguf } from '../formats/gguf.ts';
import type { Recipe } from './recipe.ts';
import { type RecipeSources, type WeightFile, withWeights } from './sources.ts';

/** Writes the LLM's graphs and its tokenizer, with the recipe's LoRA beside its weights. */
export async function buildLlm(
  recipe: Recipe,
  weights: WeightFile,
  sources: RecipeSources,
  folder: string,
): Promise<BuiltLlama> {
  if (!(weights instanceof Gguf))
    throw new ModelError(
      'not-supported',
      `The LLM ${recipe.llm?.from} is no GGUF file.`,
      'Give the LLM as a GGUF file.',
    );
  const { lora } = recipe;
  if (lora === undefined) return buildLlama({ gguf: weights, lora: null, folder });
  const { from, rank, alpha } = lora;
  return withWeights(sources.path(from), (tensors) =>
    buildLlama({ gguf: weights, lora: { tensors, rank, alpha }, folder }),
  );
}
