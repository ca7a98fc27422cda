import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { ModelError } from '../errors.ts';

/** Larger than any of these files, tokenizer.json included. */
const mostBytes = 128 * 2 ** 20;

/**
 * Reads a JSON file of a published folder. Throws `bundle-incomplete` naming the file when it is not there, `bundle-invalid`
 * naming the field when it is not what it should be.
 */
export function readJsonFile<Schema extends z.ZodType>(
  folder: string,
  name: string,
  schema: Schema,
): z.output<Schema> {
  const found = readJsonFileIfThere(folder, name, schema);
  if (found === null) throw fileMissing(folder, name);
  return found;
}

/** The same; null when the file is not there. */
export function readJsonFileIfThere<Schema extends z.ZodType>(
  folder: string,
  name: string,
  schema: Schema,
): z.output<Schema> | null {
  const text = readTextIfThere(folder, name);
  if (text === null) return null;
  let value: unknown;
  try {
    // A field that is null says as little as one that is not there.
    value = JSON.parse(text, (_name, field) => field ?? undefined);
  } catch (cause) {
    throw new ModelError('bundle-invalid', `${name} in ${folder} is no JSON.`, 'Fetch the file again.', {
      cause,
    });
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue?.path.join('.') || 'its top';
  throw new ModelError(
    'bundle-invalid',
    `${name} in ${folder} is wrong at ${where}: ${issue?.message ?? 'unknown fault'}.`,
    'Fetch the file again.',
  );
}

/** Null when the file is not there. Throws `bundle-invalid` for a link or a file larger than any of this layout. */
export function readTextIfThere(folder: string, name: string): string | null {
  const bytes = fileBytes(folder, name);
  if (bytes === null) return null;
  if (bytes > mostBytes)
    throw new ModelError(
      'bundle-invalid',
      `${name} in ${folder} is ${bytes} bytes long, more than such a file can be.`,
      'Fetch the file again.',
    );
  return readFileSync(join(folder, name), 'utf8');
}

/** Size of a file of the folder; null when it is not there. Throws `bundle-invalid` when it is a link or no file. */
export function fileBytes(folder: string, name: string): number | null {
  const status = lstatSync(join(folder, name), { throwIfNoEntry: false });
  if (status === undefined) return null;
  if (status.isFile()) return status.size;
  throw new ModelError(
    'bundle-invalid',
    `${name} in ${folder} is not a plain file.`,
    'Such a folder holds real files only: copy the file instead of linking it.',
  );
}

/** A file that the folder lacks. Folders with the same config.json hold weights for PyTorch, out of which a recipe builds a bundle. */
export function fileMissing(folder: string, name: string): ModelError {
  const others = lstatSync(join(folder, 'model.safetensors'), { throwIfNoEntry: false });
  return new ModelError(
    'bundle-incomplete',
    `${folder} lacks ${name}.`,
    others === undefined
      ? 'Fetch the file into the folder, under that name.'
      : 'Fetch the file into the folder, under that name; or build a bundle out of model.safetensors, with a recipe that names the folder (docs/foundry/build.md).',
  );
}
