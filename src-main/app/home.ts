import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { ParlanceError, toFailure } from '../contract/index.ts';

/** Where everything that lasts lies. Moving or copying the folder moves or copies all of Parlance's data. */
export interface Home {
  /** Holds `parlance.db`, `audio/` and the folders below. */
  readonly folder: string;
  readonly spool: string;
  /** `models/<bundle-id>/` */
  readonly models: string;
  readonly downloads: string;
  readonly cache: string;
  readonly logs: string;
  /** What the devices were found to do. */
  readonly devicesFile: string;
}

/** `PARLANCE_HOME`, or the platform's folder for application data. */
export function homeFolder(environment: NodeJS.ProcessEnv): string {
  const chosen = environment.PARLANCE_HOME;
  return chosen ? resolve(chosen) : envPaths('parlance', { suffix: '' }).data;
}

/**
 * Makes the home and its folders, readable by this person alone. Rejects with `file-unreadable` when the place
 * cannot be written, and with `disk-full`.
 */
export async function openHome(environment: NodeJS.ProcessEnv = process.env): Promise<Home> {
  const folder = homeFolder(environment);
  const home: Home = {
    folder,
    spool: join(folder, 'spool'),
    models: join(folder, 'models'),
    downloads: join(folder, 'downloads'),
    cache: join(folder, 'cache'),
    logs: join(folder, 'logs'),
    devicesFile: join(folder, 'devices.json'),
  };
  const folders = [home.spool, home.models, home.downloads, home.cache, home.logs, join(folder, 'audio')];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await Promise.all(folders.map((each) => mkdir(each, { recursive: true, mode: 0o700 })));
  } catch (cause) {
    if (toFailure(cause).code === 'disk-full') throw cause;
    throw new ParlanceError(
      'file-unreadable',
      `Parlance's folder ${folder} cannot be written: ${(cause as Error).message}.`,
      'Make it writable, or name another folder in PARLANCE_HOME.',
      { cause },
    );
  }
  await keepPrivate(folder);
  return home;
}

/** A folder that was there before may be open to others; one that belongs to someone else is left as it is. */
async function keepPrivate(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EPERM' && code !== 'EROFS') throw error;
  }
}
