import { existsSync, readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from '../../errors.ts';
import { streamSafetensors } from '../../formats/safetensors-stream.ts';
import { isPublishedBundle } from '../../published/open-published.ts';
import type { Recipe } from '../recipe.ts';
import { RecipeSources } from '../sources.ts';
import { stageFolder, syncFile } from '../staging.ts';
import { openBundle } from '../verify.ts';
import { refuseBundle, refuseOtherRecipe } from './fitting.ts';
import { planUltravox, type UltravoxPlan } from './plan.ts';
import { notExportable } from './refused.ts';

export type ExportStep = 'sources' | 'weights' | 'texts';

export interface ExportRequest {
  /** The bundle's folder. */
  readonly bundle: string;
  /** The recipe that the bundle was built from; null when the person named none. */
  readonly recipe: Recipe | null;
  /** Where the recipe's `from` paths start. */
  readonly recipeFolder: string;
  /** As for a build: where a `from`, or a folder that it begins with, lies instead. */
  readonly sources?: Readonly<Record<string, string>>;
  /** The new folder: there must be none, or an empty one. */
  readonly out: string;
  readonly onProgress?: (progress: { step: ExportStep; done: number; total: number }) => void;
}

const steps: readonly ExportStep[] = ['sources', 'weights', 'texts'];

/**
 * Writes a bundle as a Hugging Face folder in the layout of Ultravox 0.5: Whisper as `audio_tower`, the adaptor as
 * `multi_modal_projector`, the LLM as `language_model`, with the values of the recipe's sources, since the bundle's own may be
 * rounded. Tensors pass through memory in chunks. Throws `not-supported` for what the layout has no place for, and `ModelError` of
 * the sources; nothing is left behind then.
 */
export async function exportUltravox(request: ExportRequest): Promise<void> {
  const { bundle, recipe, recipeFolder, out, onProgress } = request;
  const started = (step: ExportStep) =>
    onProgress?.({ step, done: steps.indexOf(step), total: steps.length });
  started('sources');
  refuseFilled(out);
  if (isPublishedBundle(bundle))
    throw notExportable(bundle, 'it is a published model, whose own repository has its weights');
  const manifest = await openBundle(bundle);
  refuseBundle(manifest);
  refuseOtherRecipe(manifest, recipe);
  const sources = new RecipeSources(recipeFolder, request.sources);
  try {
    await sources.verify(recipe.card?.provenance ?? []);
    const plan = planUltravox(manifest, recipe, sources);
    await stageFolder(out, (folder) => write(plan, folder, started));
  } finally {
    sources.close();
  }
}

async function write(plan: UltravoxPlan, folder: string, started: (step: ExportStep) => void): Promise<void> {
  const weights = join(folder, 'model.safetensors');
  started('weights');
  // transformers asks for the format, and takes no file without it.
  await streamSafetensors(weights, plan.tensors, { format: 'pt' });
  await syncFile(weights);
  started('texts');
  for (const [name, content] of Object.entries(plan.texts)) {
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    await writeFile(join(folder, name), text);
    await syncFile(join(folder, name));
  }
}

/** An export takes no other's place, not even that of the bundle that it is made from. */
function refuseFilled(out: string): void {
  if (!existsSync(out) || (statSync(out).isDirectory() && readdirSync(out).length === 0)) return;
  throw new ModelError(
    'not-supported',
    `There is something at ${out} already.`,
    'Name a new folder, or an empty one.',
  );
}
