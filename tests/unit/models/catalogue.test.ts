import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readRecipe } from '../../../native-models/bundles/recipe.ts';
import { catalogueBundle, catalogueSchema, readCatalogue } from '../../../src-main/models/catalogue.ts';

const resources = fileURLToPath(new URL('../../../resources/', import.meta.url));

describe('the catalogue that comes with the app', () => {
  it('names for every file the hash that the recipe wants, and a publisher before any mirror', async () => {
    const catalogue = await readCatalogue(resources);
    for (const bundle of catalogue.bundles) {
      const recipe = readRecipe(join(resources, bundle.recipe));
      expect(recipe.id).toBe(bundle.id);
      const wanted = new Map(recipe.card?.provenance.map(({ file, sha256 }) => [file, sha256]));
      for (const file of bundle.files) {
        expect([file.path, wanted.get(file.path)]).toEqual([file.path, file.sha256]);
        expect(file.sources[0]?.kind).toBe('url');
      }
    }
    expect(catalogue.bundles.map(({ id }) => id)).toContain(catalogue.defaultBundle);
  });

  it('pins every address to a revision', () => {
    const text = readFileSync(join(resources, 'catalogue.json'), 'utf8');
    const { bundles } = catalogueSchema.parse(JSON.parse(text));
    const sources = bundles.flatMap(({ files }) => files.flatMap((file) => file.sources));
    for (const source of sources)
      if (source.kind === 'url') expect(source.url).toMatch(/\/resolve\/[0-9a-f]{40}\//);
  });

  it('an id it does not have is refused by name', async () => {
    const catalogue = await readCatalogue(resources);
    expect(() => catalogueBundle(catalogue, 'no-such')).toThrow('The catalogue has no bundle no-such.');
  });

  it('a path that leaves the downloads folder is refused', () => {
    const entry = {
      path: '../outside',
      bytes: 1,
      sha256: '0'.repeat(64),
      sources: [{ kind: 'url', url: 'https://a/b' }],
    };
    const bundle = { id: 'x', recipe: 'r.json', installedBytes: 1, files: [entry] };
    expect(catalogueSchema.safeParse({ catalogue: 1, defaultBundle: 'x', bundles: [bundle] }).success).toBe(
      false,
    );
  });
});
