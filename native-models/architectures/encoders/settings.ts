import { z } from 'zod';
import { ModelError } from '../../errors.ts';

/** Foreign settings as the schema has them; `where` names the file or the part of the recipe. Throws `file-invalid`, naming the field. */
export function checked<T>(schema: z.ZodType<T>, settings: unknown, where: string): T {
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ModelError(
    'file-invalid',
    `${where} is wrong at ${issue?.path.join('.') || 'its start'}: ${issue?.message}.`,
    "Correct that field, or take the file from the model's own repository.",
  );
}

/** For families without options of their own: a misspelt key is refused by its name. */
export function refuseOptions(options: object): void {
  checked(z.strictObject({}), options, "the recipe's encoder");
}
