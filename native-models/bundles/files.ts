import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleManifest } from './manifest.ts';
import { syncFile } from './staging.ts';
import { hashFile } from './verify.ts';

/** Every file of a bundle's folder with its size and SHA-256, on the disk for sure; the manifest itself is not there yet. */
export async function filesOf(folder: string): Promise<BundleManifest['files']> {
  const files: BundleManifest['files'] = [];
  for (const path of readdirSync(folder).toSorted()) {
    await syncFile(join(folder, path));
    files.push({
      path,
      bytes: statSync(join(folder, path)).size,
      sha256: await hashFile(join(folder, path)),
    });
  }
  return files;
}
