import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ParlanceError } from '../contract/index.ts';
import { appFolder, rendererFolder } from './entries.ts';

const configFile = join(appFolder, 'src-renderer', 'vite.config.ts');

function notBuilt(cause?: unknown): ParlanceError {
  return new ParlanceError(
    'file-missing',
    `The screen is not built: ${rendererFolder} is missing.`,
    'Run `npm start` in a checkout, which builds it, or install Parlance again.',
    { cause },
  );
}

/** Builds the screen with Vite where a checkout has not built it yet. Rejects with file-missing when that cannot be. */
export async function ensureScreen(): Promise<void> {
  if (existsSync(join(rendererFolder, 'index.html'))) return;
  if (!existsSync(configFile)) throw notBuilt();
  try {
    const { build } = await import('vite');
    await build({ configFile, logLevel: 'warn' });
  } catch (error) {
    throw notBuilt(error);
  }
}
