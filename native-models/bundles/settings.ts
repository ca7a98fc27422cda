import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import type { TensorSource } from '../formats/tensor-source.ts';
import { readJson } from './sources.ts';

const objectSchema = z.looseObject({});

/** The folder that a model's other files lie in: itself, or the one of its weights. */
export function modelFolder(path: string): string {
  return statSync(path).isDirectory() ? path : dirname(path);
}

/** The configuration of an encoder: config.json beside the weights; {} where there is none. Throws `file-invalid`. */
export function settingsOf(path: string, _weights: TensorSource): object {
  return readSettings(join(modelFolder(path), 'config.json')) ?? {};
}

/**
 * The configuration of an adaptor: the file that the recipe names, else the one named like the weights with `.json`. Beside
 * weights of a folder it is config.json; a single file may lie beside another model's. Throws `file-invalid`.
 */
export function adaptorSettings(path: string, named: string | null, _weights: TensorSource): object {
  if (named !== null) return readSettings(named) ?? {};
  const folder = statSync(path).isDirectory();
  return readSettings(folder ? join(path, 'config.json') : path.replace(/\.[^.]+$/, '.json')) ?? {};
}

/** A JSON object in a file; null where there is no such file. Throws `file-invalid`. */
function readSettings(path: string): object | null {
  if (!existsSync(path)) return null;
  const settings = objectSchema.safeParse(readJson(path));
  if (settings.success) return settings.data;
  throw new ModelError(
    'file-invalid',
    `${path} holds no settings.`,
    "Take it from the model's own repository.",
  );
}
