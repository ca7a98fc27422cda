import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceReport } from '../contract/index.ts';
import { toFailure } from '../contract/index.ts';
import { defaultBundle, verifyInstalled } from './bundles.ts';
import { chosenOf, reportDevices } from './devices.ts';
import { freeBytes, megabytes } from './free-space.ts';
import { onnxruntimeVersion } from './machine-facts.ts';
import type { ModelsPlace } from './place.ts';

/** One thing that was looked at. Holds nothing that a person said, wrote or named. */
export interface Check {
  name: string;
  /** False when something does not work because of it. */
  ok: boolean;
  /** What was found. */
  detail: string;
  /** What to do; null when there is nothing to do. */
  hint: string | null;
}

export interface DoctorOptions {
  place: ModelsPlace;
  /** Checks the database: resolves with what it found, rejects with what is wrong. */
  checkDatabase(): Promise<string>;
}

/** The first Node that runs TypeScript as it is and loads the database. */
const leastNode = [22, 18] as const;
/** Room for the recordings of a long day, and for the next bundle. */
const enoughBytes = 1e9;

/** Looks at everything that Parlance needs on this machine. Never rejects for what it finds. */
export async function examine({ place, checkDatabase }: DoctorOptions): Promise<Check[]> {
  const devices = reportDevices({ place, again: true });
  return [
    nodeVersion(),
    await check('data folder', () => writableHome(place)),
    await check('free disk space', () => freeDisk(place)),
    await check('database', async () => fine(await checkDatabase())),
    await check('bundle', () => bundle(place)),
    await check('onnxruntime', async () => runtime(await devices)),
    await check('devices', async () => summary(await devices)),
    await check('microphone', microphone),
  ];
}

type Finding = Omit<Check, 'name'>;

const fine = (detail: string): Finding => ({ ok: true, detail, hint: null });

async function check(name: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    const { message, hint } = toFailure(error);
    return { name, ok: false, detail: message, hint };
  }
}

function nodeVersion(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  const hint = ok
    ? null
    : `Parlance needs Node ${leastNode.join('.')} or newer; \`npm start\` fetches its own.`;
  return { name: 'Node', ok, detail: process.versions.node, hint };
}

async function writableHome({ home }: ModelsPlace): Promise<Finding> {
  for (const folder of [home.models, home.downloads]) {
    const probe = await mkdtemp(join(folder, '.writable-'));
    try {
      await writeFile(join(probe, 'file'), 'x', { flush: true });
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
  }
  return fine('can be written');
}

async function freeDisk({ home }: ModelsPlace): Promise<Finding> {
  const free = await freeBytes(home.models);
  const ok = free >= enoughBytes;
  const hint = ok ? null : `Free ${megabytes(enoughBytes - free)}: recordings and bundles need room.`;
  return { ok, detail: `${megabytes(free)} free`, hint };
}

async function bundle(place: ModelsPlace): Promise<Finding> {
  const found = await defaultBundle(place);
  if (found === null) {
    const hint = 'Run `parlance models pull parlance-mini`; `parlance models list` shows what there is.';
    return { ok: false, detail: 'none is installed', hint };
  }
  await verifyInstalled(place, found.id);
  return fine(`${found.id}: every file has the hash of its manifest`);
}

function runtime(devices: readonly DeviceReport[]): Finding {
  const cpu = devices.find(({ provider }) => provider === 'cpu');
  if (cpu?.works)
    return fine(`${onnxruntimeVersion} loads; a step takes ${cpu.stepMs?.toFixed(1)} ms on the CPU`);
  const hint = 'Install Parlance again; on Windows the Visual C++ runtime must be there.';
  return { ok: false, detail: `${onnxruntimeVersion}: ${cpu?.reason ?? 'was not tried'}`, hint };
}

function summary(devices: readonly DeviceReport[]): Finding {
  const each = devices.map(({ provider, works, reason, stepMs }) =>
    works ? `${provider} ${stepMs?.toFixed(1)} ms a step` : `${provider} fails: ${reason}`,
  );
  return {
    ok: devices.some(({ works }) => works),
    detail: `${chosenOf(devices)} is used (${each.join('; ')})`,
    hint: null,
  };
}

/** Capture devices as the kernel lists them; other systems tell only a program that asks to record. */
async function microphone(): Promise<Finding> {
  if (process.platform !== 'linux')
    return fine("known only when recording starts; the system's sound settings list it");
  const missing: Finding = {
    ok: true,
    detail: 'the kernel lists no device that records',
    hint: 'Connect a microphone to speak; typed questions and sound files work without one.',
  };
  let devices: string;
  try {
    devices = await readFile('/proc/asound/pcm', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return missing;
    throw error;
  }
  const recording = devices.split('\n').filter((line) => /: capture \d+/.test(line));
  return recording.length === 0 ? missing : fine(`${recording.length} found`);
}
