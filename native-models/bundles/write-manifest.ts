import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BundleManifest, bundleManifestSchema } from './manifest.ts';
import { syncFile } from './staging.ts';

/** Checks a manifest and puts it into the bundle's folder, on the disk for sure. Gives it as it will be read. */
export async function writeManifest(folder: string, manifest: BundleManifest): Promise<BundleManifest> {
  const checked = bundleManifestSchema.parse(manifest);
  await writeFile(join(folder, 'bundle.json'), `${JSON.stringify(checked, null, 2)}\n`);
  await syncFile(join(folder, 'bundle.json'));
  return checked;
}
