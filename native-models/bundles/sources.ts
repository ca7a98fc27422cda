import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ModelError } from '../errors.ts';
import { CTranslate2Model } from '../formats/ctranslate2.ts';
import { Gguf } from '../formats/gguf.ts';
import { Safetensors } from '../formats/safetensors.ts';
import type { TensorSource } from '../formats/tensor-source.ts';
import type { Recipe } from './recipe.ts';
import { hashFile } from './verify.ts';

/** Finds a recipe's files: a `from` that `places` names lies there, any other under the recipe's folder. */
export class RecipeSources {
  readonly #folder: string;
  readonly #places: Readonly<Record<string, string>>;

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

  /** Compares every source that the recipe gives a hash for; one that this build does not have is not needed. */
  async verify(provenance: NonNullable<Recipe['card']>['provenance']): Promise<void> {
    for (const { file, sha256 } of provenance) {
      const path = this.#place(file);
      if (!existsSync(path)) continue;
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
    const named = this.#places[from];
    if (named !== undefined) return named;
    const parent = dirname(from);
    const folder = this.#places[parent];
    if (folder !== undefined) return join(folder, from.slice(parent.length + 1));
    return join(this.#folder, from);
  }
}

/** A reader that holds a file open until it is closed. */
export type WeightFile = TensorSource & { close(): void };

/** Opens weights by what they are: a folder of CTranslate2 or transformers, or a model.bin, GGUF or safetensors file. */
export function openWeights(path: string): WeightFile {
  if (statSync(path).isDirectory()) {
    if (existsSync(join(path, 'model.bin'))) return new CTranslate2Model(join(path, 'model.bin'));
    if (existsSync(join(path, 'model.safetensors'))) return new Safetensors(join(path, 'model.safetensors'));
    throw unknownFormat(`the folder ${path} has neither model.bin nor model.safetensors`);
  }
  if (path.endsWith('.safetensors')) return new Safetensors(path);
  if (path.endsWith('.gguf')) return new Gguf(path);
  if (path.endsWith('.bin')) return new CTranslate2Model(path);
  throw unknownFormat(`${path} is of no known kind`);
}

/** Runs `body` with weights that are closed when it ends. */
export async function withWeights<T>(path: string, body: (weights: WeightFile) => Promise<T>): Promise<T> {
  const weights = openWeights(path);
  try {
    return await body(weights);
  } finally {
    weights.close();
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

function unknownFormat(fault: string): ModelError {
  return new ModelError(
    'not-supported',
    `These weights cannot be read: ${fault}.`,
    'Give a GGUF or safetensors file, or a folder of CTranslate2 or transformers with its weights in one file.',
  );
}
