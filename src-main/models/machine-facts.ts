import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { env } from 'onnxruntime-common';

/** Its native library comes in the same version, and is loaded only in processes that may crash. */
export const onnxruntimeVersion: string = env.versions.common;

async function readable(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return ''; // no such driver on this machine
  }
}

async function listed(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch {
    return []; // no such driver on this machine
  }
}

/** What decides how a device behaves: when any of it changes, what was measured before says nothing. */
export async function machineFingerprint(environment: NodeJS.ProcessEnv): Promise<string> {
  const facts = {
    onnxruntime: onnxruntimeVersion,
    platform: process.platform,
    architecture: process.arch,
    // Windows and macOS bring their graphics drivers with updates of the system; on Linux they are named below.
    system: release(),
    processor: cpus()[0]?.model ?? '',
    processors: cpus().length,
    nvidia: await readable('/proc/driver/nvidia/version'),
    devices: [
      ...(await listed('/dev/dri')),
      ...(await listed('/dev')).filter((name) => name.startsWith('nvidia')),
    ],
    vulkan: [
      ...(await listed('/usr/share/vulkan/icd.d')),
      ...(await listed('/etc/vulkan/icd.d')),
      environment.VK_ICD_FILENAMES,
      environment.VK_DRIVER_FILES,
      environment.LD_LIBRARY_PATH,
    ],
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
