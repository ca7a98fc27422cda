import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPublished } from '../../../native-models/published/open-published.ts';
import { publishedManifest } from '../../../native-models/published/published-manifest.ts';

/**
 * SHA-256 that changes when a published bundle does. Nobody published hashes of its weights, and hashing gigabytes before every
 * answer would take longer than the answer: its settings count by what is in them, all else by size and times.
 */
export async function publishedDigest(folder: string): Promise<string> {
  const digest = createHash('sha256');
  for (const { path } of publishedManifest(openPublished(folder)).files) {
    const file = join(folder, path);
    const { size, mtimeNs, ctimeNs, ino } = await lstat(file, { bigint: true });
    digest.update(`${path} ${size} ${mtimeNs} ${ctimeNs} ${ino}\n`);
    if (path.endsWith('config.json')) digest.update(await readFile(file));
  }
  return digest.digest('hex');
}
