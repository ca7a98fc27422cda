import type { z } from 'zod';
import { ModelError } from '../../errors.ts';
import { shapeMismatch } from '../../graph/shape.ts';

/** The recipe's own words about an adaptor. Throws `file-invalid`, naming the field that is wrong. */
export function adaptorOptions<T>(schema: z.ZodType<T>, options: object): T {
  const read = schema.safeParse(options);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new ModelError(
    'file-invalid',
    `The recipe's \`adaptor.${issue?.path.join('.')}\` is wrong: ${issue?.message}.`,
    'Correct the recipe.',
  );
}

/** Throws `shape-mismatch` when the adaptor was trained for another encoder. */
export function expectEncoderWidth(adaptor: number, encoder: number): void {
  if (adaptor !== encoder)
    throw shapeMismatch(`The adaptor reads vectors of ${adaptor}, the encoder gives vectors of ${encoder}`);
}

/** Throws `shape-mismatch` when the adaptor was trained for another LLM. */
export function expectLlmWidth(adaptor: number, llm: { readonly hidden: number } | null): void {
  if (llm !== null && adaptor !== llm.hidden)
    throw shapeMismatch(`The adaptor gives vectors of ${adaptor}, the LLM reads vectors of ${llm.hidden}`);
}
