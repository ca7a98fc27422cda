import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import {
  bundleIdSchema,
  deviceTargets,
  figureSchema,
  generationSchema,
  provenanceSchema,
} from './manifest.ts';

const sourceSchema = z.string().min(1);

/** What else stands there belongs to the architecture, which refuses what it does not know by its name. */
const encoderRecipeSchema = z.looseObject({ architecture: z.string(), from: sourceSchema });

/** As with encoders: `stack`, `windowSeconds`, `strideSeconds` and their like are checked by the architecture. */
const adaptorRecipeSchema = z.looseObject({
  architecture: z.string(),
  from: sourceSchema,
  /** Its configuration; by default the file of the same name that ends in `.json`, or what the weights bring. */
  config: sourceSchema.optional(),
  /** Silence put after a clip that is not padded to 30 s, and the multiple of samples it is then filled to. */
  tailSeconds: z.number().min(0).max(5).optional(),
  unitSamples: z.number().int().positive().optional(),
});

const quantizationSchema = z.enum(['none', 'keep', 'q8', 'q4']);

/** What a person reads about the bundle; nothing here changes what it computes. */
const cardSchema = z.strictObject({
  name: z.string(),
  summary: z.string(),
  licence: z.string(),
  languages: z.array(z.string()),
  preferredEngine: z.enum(['speech-llm', 'cascade']),
  generation: generationSchema,
  figures: z.array(figureSchema),
  provenance: z.array(provenanceSchema),
});
export type BundleCard = z.infer<typeof cardSchema>;

/**
 * RECIPE.json: which weights make up a bundle. Paths (`from`) are relative to the recipe's folder. Every part may be left out,
 * for probes and tests.
 */
const recipeSchema = z.strictObject({
  id: bundleIdSchema,
  encoder: encoderRecipeSchema.optional(),
  secondEncoder: encoderRecipeSchema.optional(),
  adaptor: adaptorRecipeSchema.optional(),
  llm: z.strictObject({ from: sourceSchema, architecture: z.string().optional() }).optional(),
  lora: z
    .strictObject({
      from: sourceSchema,
      rank: z.number().int().positive(),
      alpha: z.number(),
      /** Added to the weights once and for all; else it stays a branch whose strength can be chosen. */
      merged: z.boolean().default(false),
    })
    .optional(),
  prompt: z
    .strictObject({
      /** Jinja text; left out, the LLM file's own chat template. */
      template: z.string().optional(),
      system: z.string().default(''),
      /** What stands directly before and after the sound, special tokens read as such. */
      audio: z.strictObject({ before: z.string(), after: z.string() }).default({ before: '', after: '' }),
      tasks: z.record(z.string(), z.string()).default({}),
    })
    .default({ system: '', audio: { before: '', after: '' }, tasks: {} }),
  /** By default 30 s for encoders that read no more, as Whisper, and none for the others. */
  padding: z.enum(['30s', 'none']).optional(),
  quantize: z
    .strictObject({
      encoder: quantizationSchema.default('none'),
      adaptor: quantizationSchema.default('none'),
      llm: quantizationSchema.default('keep'),
    })
    .default({ encoder: 'none', adaptor: 'none', llm: 'keep' }),
  /** What the graphs beside the CPU's may use: the fused operators of a provider, or those of the ONNX standard alone. */
  target: z.enum(deviceTargets).default('webgpu'),
  card: cardSchema.optional(),
});
export type Recipe = z.infer<typeof recipeSchema>;

/** Reads RECIPE.json. Throws `file-missing` or `file-invalid`, naming the field at fault. */
export function readRecipe(path: string): Recipe {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ModelError('file-missing', `The recipe ${path} cannot be read.`, 'Check the path.', { cause });
  }
  return parseRecipe(text, path);
}

/** Checks a recipe's text; `path` is only named in errors. */
export function parseRecipe(text: string, path: string): Recipe {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelError('file-invalid', `The recipe ${path} is not JSON.`, 'Correct its syntax.', { cause });
  }
  const recipe = recipeSchema.safeParse(value);
  if (recipe.success) return recipe.data;
  const [issue] = recipe.error.issues;
  const field = issue?.path.join('.') || 'the recipe itself';
  throw new ModelError(
    'file-invalid',
    `The recipe ${path} is wrong at ${field}: ${issue?.message ?? 'unknown fault'}.`,
    'Correct that field; resources/bundles/parlance-mini/recipe.json is an example.',
  );
}
