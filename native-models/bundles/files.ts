import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleManifest, BundlePart } from './manifest.ts';
import { syncFile } from './staging.ts';
import { hashFile } from './verify.ts';

/** Whose the files of a bundle under construction are: what is new in its folder belongs to the part that was just written. */
export class PartFiles {
  readonly #folder: string;
  readonly #parts = new Map<string, BundlePart>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Says that everything new is of this part. */
  claim(part: BundlePart): void {
    for (const path of readdirSync(this.#folder)) if (!this.#parts.has(path)) this.#parts.set(path, part);
  }

  /** Every file with its size and SHA-256, on the disk for sure; the manifest itself is not there yet. */
  async list(): Promise<BundleManifest['files']> {
    const files: BundleManifest['files'] = [];
    for (const [path, part] of [...this.#parts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const place = join(this.#folder, path);
      await syncFile(place);
      files.push({ path, part, bytes: statSync(place).size, sha256: await hashFile(place) });
    }
    return files;
  }
}
