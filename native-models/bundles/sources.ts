import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ModelError } from '../errors.ts';
import { type OpenedWeights, openWeights } from '../formats/open-weights.ts';
import type { TensorSource } from '../formats/tensor-source.ts';
import type { Recipe } from './recipe.ts';
import { hashFile } from './verify.ts';

/**
 * A recipe's files: what `places` names lies there, or below it when it names a folder of the path; all else lies under the
 * recipe's folder. Holds open what was opened until it is closed.
 */
export class RecipeSources {
  readonly #folder: string;
  readonly #places: Readonly<Record<string, string>>;
  readonly #open = new Map<string, OpenedWeights>();

  constructor(recipeFolder: string, places: Readonly<Record<string, string>> = {}) {
    this.#folder = recipeFolder;
    this.#places = places;
  }

  /** Throws `file-missing` when nothing is there. */
  path(from: string): string {
    const path = this.#place(from);
    if (!existsSync(path))
      throw new ModelError(
        'file-missing',
        `The recipe's source ${from} is not at ${path}.`,
        'Fetch it, or correct `from` in the recipe.',
      );
    return path;
  }

  /** The weights that a `from` names; the same reader however often they are asked for. */
  weights(from: string): TensorSource {
    const path = this.path(from);
    const weights = this.#open.get(path) ?? openWeights(path);
    this.#open.set(path, weights);
    return weights;
  }

  close(): void {
    for (const weights of this.#open.values()) weights.close();
    this.#open.clear();
  }

  /** Compares every source that the recipe gives a hash for; one that this build does not have is not needed. */
  async verify(provenance: NonNullable<Recipe['card']>['provenance']): Promise<void> {
    for (const { file, sha256 } of provenance) {
      const path = this.#place(file);
      if (sha256 === '' || !existsSync(path)) continue;
      if (statSync(path).isDirectory())
        throw new ModelError(
          'file-invalid',
          `The recipe gives one SHA-256 for ${file}, which is a folder.`,
          'List its files one by one.',
        );
      const found = await hashFile(path);
      if (found !== sha256)
        throw new ModelError(
          'file-invalid',
          `${path} has SHA-256 ${found}, but the recipe wants ${sha256}.`,
          'The file was changed or damaged: fetch it again.',
        );
    }
  }

  #place(from: string): string {
    for (let parent = from; parent !== '.' && parent !== dirname(parent); parent = dirname(parent)) {
      const place = Object.hasOwn(this.#places, parent) ? this.#places[parent] : undefined;
      if (place !== undefined) return join(place, from.slice(parent.length));
    }
    return resolve(this.#folder, from);
  }
}

/** Reads a JSON file. Throws `file-missing` or `file-invalid`. */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ModelError('file-missing', `${path} cannot be read.`, 'Fetch the file again.', { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelError('file-invalid', `${path} is not JSON.`, 'Fetch the file again.', { cause });
  }
}
