import type { BundleManifest } from '../bundles/manifest.ts';
import { readManifest } from '../bundles/verify.ts';
import { isPublishedBundle, openPublished } from './open-published.ts';
import { publishedManifest } from './published-manifest.ts';

/** The manifest of a folder, be it a bundle of the foundry or a published model. Throws what reading either throws. */
export function anyManifest(folder: string): BundleManifest {
  return isPublishedBundle(folder) ? publishedManifest(openPublished(folder)) : readManifest(folder);
}
