import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { ModelError } from '../errors.ts';

/** No settings file is longer; a tokenizer may be. */
const longestJson = 256 << 20;

/** A parsed config.json, or a part of it: foreign, so that every field is read through a schema. */
export class ConfigFields {
  /** For errors. */
  readonly path: string;
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(path: string, value: unknown) {
    const fields = z.record(z.string(), z.unknown()).safeParse(value);
    if (!fields.success) throw invalid(path, 'is not a JSON object');
    this.path = path;
    // transformers writes null for what is left out.
    this.#fields = new Map(
      Object.entries(fields.data).filter(([, field]) => field !== null && field !== undefined),
    );
  }

  has(key: string): boolean {
    return this.#fields.has(key);
  }

  /** Throws `file-invalid`, naming the field, when it is missing (and has no default) or something else. */
  read<T extends z.ZodType>(key: string, schema: T): z.output<T> {
    const result = schema.safeParse(this.#fields.get(key));
    if (result.success) return result.data;
    throw invalid(this.path, `${key} ${this.has(key) ? 'is not what it should be' : 'is missing'}`);
  }

  /** All of it as it was read, unchecked; only nulls are left out. */
  all(): Record<string, unknown> {
    return Object.fromEntries(this.#fields);
  }

  /** A part that is an object itself; null where it is not there. */
  part(key: string): ConfigFields | null {
    const value = this.#fields.get(key);
    return value === undefined ? null : new ConfigFields(`${this.path}, ${key}`, value);
  }

  /** Throws `not-supported` unless the field is left out or one of these. */
  allowOnly(key: string, allowed: readonly unknown[]): void {
    const value = this.#fields.get(key);
    if (value === undefined || allowed.includes(value)) return;
    throw new ModelError(
      'not-supported',
      `${this.path} has ${key} ${JSON.stringify(value).slice(0, 80)}, which is not built.`,
      allowed.length > 0 ? `It builds ${allowed.join(' or ')}.` : 'It builds models without it.',
    );
  }
}

/** Where models of sound or pictures keep the config of the language model within theirs. */
const partNames = ['text_config', 'llm_config', 'language_config', 'language_model_config', 'decoder_config'];

/** The parts of a config.json that describe a language model inside another model. */
export function languageModelParts(config: ConfigFields): ConfigFields[] {
  return partNames.flatMap((name) => config.part(name) ?? []);
}

/** A JSON file; null where there is none. Throws `file-invalid`. */
export function readJsonFile(path: string): unknown {
  const text = readTextFile(path);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(path, `is not JSON (${cause instanceof Error ? cause.message : cause})`);
  }
}

/** A text file; null where there is none. Throws `file-invalid` for one that cannot be what it should. */
export function readTextFile(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile() || found.size > longestJson) throw invalid(path, 'is no file of a believable length');
  return readFileSync(path, 'utf8');
}

function invalid(path: string, fault: string): ModelError {
  return new ModelError(
    'file-invalid',
    `${path}: ${fault}.`,
    "Take the file from the model's own repository.",
  );
}
