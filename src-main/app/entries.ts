import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In a checkout Node runs the sources as they are; built, every entry lies beside this module, in out/main. */
const fromSource = import.meta.url.endsWith('.ts');

/** Modules that run in a thread or a process of their own: where they are in a checkout. */
const sources = {
  'store-worker': '../store/worker.ts',
  'speaking-worker': '../engine/speaking/worker.ts',
  'engine-process': './engine-process.ts',
  'build-process': './build-process.ts',
  'device-probe': './device-probe.ts',
  'voice-activity': '../voice/activity/worker.ts',
} as const;

/** Where to start a module that has a thread or a process of its own. */
export function entryUrl(name: keyof typeof sources): URL {
  return new URL(fromSource ? sources[name] : `./${name}.js`, import.meta.url);
}

export function entryPath(name: keyof typeof sources): string {
  return fileURLToPath(entryUrl(name));
}

/** The folder that holds `package.json`, `resources` and `out`: the checkout, or the packaged app. */
export const appFolder = fileURLToPath(new URL('../..', import.meta.url));

/** The built screen. */
export const rendererFolder = join(appFolder, 'out', 'renderer');

/** Electron puts `resources` beside the archive that holds the app. */
export function resourcesFolder(): string {
  const packaged = (process as { resourcesPath?: string }).resourcesPath;
  const beside = packaged === undefined ? null : join(packaged, 'resources');
  return beside !== null && existsSync(beside) ? beside : join(appFolder, 'resources');
}
