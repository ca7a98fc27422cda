import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { appFolder } from './entries.ts';

/** The version in `package.json`. */
export function appVersion(): string {
  const text = readFileSync(join(appFolder, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
