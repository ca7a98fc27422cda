import { type PlannedLlm, planLlm } from '../architectures/llms/build-llm.ts';
import type { Recipe } from './recipe.ts';
import { modelFolder } from './settings.ts';
import type { RecipeSources } from './sources.ts';

/** Reads the recipe's LLM, with its LoRA beside the weights or in them, and writes nothing yet. Throws `ModelError`. */
export function planRecipeLlm(
  { llm, lora, quantize, target }: Recipe,
  sources: RecipeSources,
  folder: string,
): PlannedLlm | null {
  if (llm === undefined) return null;
  return planLlm({
    weights: sources.weights(llm.from),
    sourceFolder: modelFolder(sources.path(llm.from)),
    architecture: llm.architecture ?? null,
    lora:
      lora === undefined
        ? null
        : { tensors: sources.weights(lora.from), rank: lora.rank, alpha: lora.alpha, merged: lora.merged },
    quantize: quantize.llm,
    target,
    folder,
  });
}
