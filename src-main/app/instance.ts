import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { ParlanceError } from '../contract/index.ts';
import { isAlive, ownerSchema, thisProcess } from '../platform/owner-process.ts';

const instanceSchema = z.object({
  owner: ownerSchema,
  port: z.number().int().min(1).max(65_535),
  key: z.string().min(32),
});
/** The running browser mode of a home: its process, its port, and the key that buys a fresh address. */
type Instance = z.infer<typeof instanceSchema>;

/** An instance that says where it is, so that nobody starts a second one over the same home. */
export interface InstanceClaim {
  release(): Promise<void>;
}

export function newInstanceKey(): string {
  return randomBytes(32).toString('base64url');
}

async function read(file: string): Promise<Instance | null> {
  try {
    return instanceSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Torn by a power cut: as good as absent, its process is gone with it.
    if (code === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/** The instance that runs over this home; null when there is none, or its process is gone. */
async function runningInstance(file: string): Promise<Instance | null> {
  const instance = await read(file);
  return instance !== null && (await isAlive(instance.owner)) ? instance : null;
}

/**
 * Asks the running instance for an address with a fresh token; null when no instance runs over this home. Rejects with
 * engine-busy when it runs and does not answer.
 */
export async function runningAddress(file: string, instancePath: string): Promise<string | null> {
  const instance = await runningInstance(file);
  if (instance === null) return null;
  try {
    const response = await fetch(`http://127.0.0.1:${instance.port}${instancePath}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${instance.key}` },
      signal: AbortSignal.timeout(5000),
    });
    return z.object({ address: z.url() }).parse(await response.json()).address;
  } catch (cause) {
    throw new ParlanceError(
      'engine-busy',
      `Parlance runs already (process ${instance.owner.pid}) and does not answer.`,
      'Wait a moment and start it again; if it stays so, end that process.',
      { cause },
    );
  }
}

/** File systems without links (FAT, some of networks) answer with one of these. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Gives a file a second name that must be free: throws EEXIST when it is taken. */
async function nameAs(mine: string, file: string): Promise<void> {
  try {
    await link(mine, file);
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(mine, file, constants.COPYFILE_EXCL);
  }
}

/**
 * Writes this process into the instance file, readable by this person alone, unless a living one stands there
 * already; then gives null. The name appears whole or not at all, and what a dead process
 * left is moved aside before it is judged again, so of two that start at once only one gets it.
 */
export async function claimInstance(file: string, port: number, key: string): Promise<InstanceClaim | null> {
  const mine = `${file}.${process.pid}`;
  const instance: Instance = { owner: await thisProcess(), port, key };
  await writeFile(mine, JSON.stringify(instance), { mode: 0o600 });
  try {
    for (;;) {
      try {
        await nameAs(mine, file);
        return { release: () => release(file, key) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      if ((await runningInstance(file)) !== null) return null;
      await removeDead(file);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function removeDead(file: string): Promise<void> {
  const aside = `${file}.${process.pid}.old`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Between the look and the move another start may have put itself there: it gets its place back.
  if ((await runningInstance(aside)) !== null) await nameAs(aside, file);
  await rm(aside, { force: true });
}

async function release(file: string, key: string): Promise<void> {
  if ((await read(file))?.key === key) await rm(file, { force: true });
}
