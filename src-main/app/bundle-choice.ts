import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { type BundleManifest, bundleIdSchema } from '../../native-models/bundles/manifest.ts';
import { anyManifest } from '../../native-models/published/any-manifest.ts';
import { ParlanceError } from '../contract/index.ts';
import type { AnsweringBundle } from '../conversation/ports.ts';
import { asParlanceError } from '../engine/failures.ts';

/** The bundle that answers when none is named. */
export const defaultBundleId = 'parlance-mini';

/** A bundle's folder and its manifest, read and checked; its parts' bytes are checked when they are loaded. */
export interface ChosenBundle {
  readonly folder: string;
  readonly manifest: BundleManifest;
}

export function bundleMissing(id = defaultBundleId): ParlanceError {
  return new ParlanceError(
    'bundle-missing',
    looksLikePath(id) ? `There is no bundle at ${id}.` : `The bundle ${id} is not installed.`,
    `Run \`parlance models pull ${defaultBundleId}\`, or name a bundle's folder with --bundle.`,
  );
}

function looksLikePath(choice: string): boolean {
  return (
    choice === '.' || choice === '..' || isAbsolute(choice) || choice.includes('/') || choice.includes(sep)
  );
}

/**
 * Finds a bundle by its id among the installed ones, or by its folder; a published model in the layout of transformers.js is taken
 * as it is. Throws bundle-missing, and what is wrong with
 * it: bundle-incomplete, bundle-newer, bundle-invalid.
 */
export function chooseBundle(modelsFolder: string, choice: string): ChosenBundle {
  const isId = !looksLikePath(choice) && bundleIdSchema.safeParse(choice).success;
  const installed = isId ? join(modelsFolder, choice) : null;
  const folder = installed !== null && existsSync(installed) ? installed : resolve(choice);
  if (!existsSync(folder)) throw bundleMissing(choice);
  try {
    return { folder, manifest: anyManifest(folder) };
  } catch (error) {
    throw asParlanceError(error);
  }
}

/** What a conversation needs to know of it. */
export function answeringBundle({ folder, manifest }: ChosenBundle): AnsweringBundle {
  const { id, preferredEngine, generation, prompt, llm } = manifest;
  return {
    id,
    folder,
    preferredEngine,
    generation,
    system: prompt.system,
    contextLength: llm?.contextLength ?? null,
  };
}
