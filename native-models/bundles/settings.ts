import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import type { TensorSource } from '../formats/tensor-source.ts';
import { TorchCheckpoint } from '../formats/torch-checkpoint.ts';
import { readJson } from './sources.ts';

const objectSchema = z.looseObject({});

/** The folder that a model's other files lie in: itself, or the one of its weights. */
export function modelFolder(path: string): string {
  return statSync(path).isDirectory() ? path : dirname(path);
}

/**
 * The configuration of an encoder: config.json beside the weights, and what a checkpoint of PyTorch holds beside its tensors; {}
 * where there is neither. Throws `file-invalid`.
 */
export function encoderSettings(path: string, weights: TensorSource): object {
  return { ...readSettings(join(modelFolder(path), 'config.json')), ...settingsInside(weights) };
}

function settingsInside(weights: TensorSource): object {
  const inside = objectSchema.safeParse(weights instanceof TorchCheckpoint ? weights.settings : null);
  return inside.success ? inside.data : {};
}

/** tokenizer.json or vocab.json beside an encoder's weights, for what its labels mean; null where there is neither. */
export function labelsBeside(path: string): object | null {
  const folder = modelFolder(path);
  return readSettings(join(folder, 'tokenizer.json')) ?? readSettings(join(folder, 'vocab.json'));
}

/**
 * The configuration of an adaptor: the file that the recipe names, else the one named like the weights with `.json`. Beside
 * weights of a folder it is config.json; a single file may lie beside another model's. What a checkpoint of PyTorch holds counts
 * as well. Throws `file-invalid`.
 */
export function adaptorSettings(path: string, named: string | null, weights: TensorSource): object {
  const usual = statSync(path).isDirectory() ? join(path, 'config.json') : path.replace(/\.[^.]+$/, '.json');
  return { ...settingsInside(weights), ...readSettings(named ?? usual) };
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
