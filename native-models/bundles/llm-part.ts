import { buildLlm } from '../architectures/llms/build-llm.ts';
import type { BuiltLlm } from '../architectures/llms/llm.ts';
import type { Recipe } from './recipe.ts';
import { modelFolder } from './settings.ts';
import type { RecipeSources } from './sources.ts';

/** Writes the recipe's LLM, with its LoRA beside the weights or in them. Throws `ModelError`. */
export async function writeLlm(
  { llm, lora, quantize, target }: Recipe,
  sources: RecipeSources,
  folder: string,
): Promise<BuiltLlm | null> {
  if (llm === undefined) return null;
  return buildLlm({
    weights: sources.weights(llm.from),
    sourceFolder: modelFolder(sources.path(llm.from)),
    architecture: llm.architecture ?? null,
    lora:
      lora === undefined
        ? null
        : {
            tensors: sources.weights(lora.from),
            rank: lora.rank,
            alpha: lora.alpha,
            merged: lora.merged,
          },
    quantize: quantize.llm,
    target,
    folder,
  });
}
