import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import { shapeMismatch, shapeText } from '../../graph/shape.ts';
import type { Layer } from './module-layers.ts';

/**
 * What the recipe and the configuration beside the weights say of an adaptor; where both speak, the recipe is right. Fields that
 * the schema does not know are passed over in the configuration, which was written for other programs, and refused in the recipe.
 * Throws `file-invalid`, naming the field that is wrong.
 */
export function adaptorSettings<S extends z.ZodRawShape>(
  fields: S,
  { config, options }: { readonly config: object; readonly options: object },
): z.infer<z.ZodObject<S>> {
  const known = z.object(fields);
  checked(z.strictObject(fields), options, 'The recipe');
  checked(known, config, "The adaptor's configuration");
  return known.parse({ ...config, ...options });
}

function checked(schema: z.ZodType, value: object, whose: string): void {
  const read = schema.safeParse(value);
  if (read.success) return;
  const [issue] = read.error.issues;
  const field = issue?.path.join('.') || 'the adaptor itself';
  throw new ModelError('file-invalid', `${whose} is wrong at ${field}: ${issue?.message}.`, 'Correct it.');
}

/** Throws `shape-mismatch` when the adaptor was trained for another encoder; it reads `stacked` frames at once. */
export function expectEncoderWidth(adaptor: number, encoder: number, stacked = 1): void {
  if (adaptor === encoder * stacked) return;
  const given = stacked === 1 ? 'vectors' : `${stacked} stacked vectors`;
  throw shapeMismatch(`The adaptor reads vectors of ${adaptor}, the encoder gives ${given} of ${encoder}`);
}

/** Throws `shape-mismatch` when the adaptor was trained for another LLM. */
export function expectLlmWidth(adaptor: number, llm: { readonly hidden: number } | null): void {
  if (llm !== null && adaptor !== llm.hidden)
    throw shapeMismatch(`The adaptor gives vectors of ${adaptor}, the LLM reads vectors of ${llm.hidden}`);
}

/** Gives the layers back. Throws `shape-mismatch` when an architecture is not made of so few or so many. */
export function expectLayers(
  architecture: string,
  layers: readonly Layer[],
  { matrices, convolutions }: Readonly<Record<'matrices' | 'convolutions', readonly [number, number]>>,
): readonly Layer[] {
  const within = (rank: number, [least, most]: readonly [number, number]) => {
    const count = layers.filter(({ weight }) => weight.shape.length === rank).length;
    return count >= least && count <= most;
  };
  if (within(2, matrices) && within(3, convolutions)) return layers;
  const found = layers.map(({ weight }) => `${weight.name} ${shapeText(weight.shape)}`);
  throw shapeMismatch(
    `These are not the layers of an adaptor of the architecture ${architecture}: ${found.slice(0, 8).join(', ')}`,
  );
}
