import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';

/**
 * Names one run of one process. Process ids are used again, so the moment the process started belongs to its name:
 * unfinished work whose owner is gone can then be told from work that another window or a command is still doing.
 */
export const ownerSchema = z.object({ pid: z.number().int().positive(), started: z.string().min(1) });
export type Owner = z.infer<typeof ownerSchema>;

const run = promisify(execFile);

/** Clock ticks since boot, and which boot: neither moves when the wall clock is set. */
async function startedOnLinux(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name and may hold spaces and brackets; count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return `${boot}:${fields[19] ?? ''}`;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}

async function startedElsewhere(pid: number): Promise<string | null> {
  const [command, parameters] =
    process.platform === 'win32'
      ? [
          'powershell.exe',
          ['-NoProfile', '-Command', `(Get-Process -Id ${pid} -ErrorAction Stop).StartTime.ToFileTimeUtc()`],
        ]
      : ['ps', ['-o', 'lstart=', '-p', String(pid)]];
  try {
    const { stdout } = await run(command, parameters, { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } });
    return stdout.trim() || null;
  } catch (error) {
    // Both commands exit with 1 when there is no such process; anything else is a fault to be shown.
    if ((error as { code?: unknown }).code === 1) return null;
    throw error;
  }
}

function started(pid: number): Promise<string | null> {
  return process.platform === 'linux' ? startedOnLinux(pid) : startedElsewhere(pid);
}

let own: Promise<Owner> | null = null;

/** The name of this process's run. The same in all of its threads. */
export function thisProcess(): Promise<Owner> {
  own ??= started(process.pid).then((start) => ({ pid: process.pid, started: start ?? 'unknown' }));
  return own;
}

/** Whether the run that `owner` names still goes on. */
export async function isAlive(owner: Owner): Promise<boolean> {
  return (await started(owner.pid)) === owner.started;
}
