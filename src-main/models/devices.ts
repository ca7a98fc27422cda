import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { isRunning } from '../../native-models/bundles/staging.ts';
import { type DeviceReport, deviceReportSchema, type ProcessExit, type Provider } from '../contract/index.ts';
import { writeDurably } from '../platform/durable-file.ts';
import { type ProbeResult, probeResultSchema } from './device-step.ts';
import { machineFingerprint } from './machine-facts.ts';
import type { ModelsPlace } from './place.ts';
import { writeProbeGraph } from './probe-graph.ts';

/** The first of these that works, and is faster than the CPU, is used. */
const providersByPlatform: Partial<Record<NodeJS.Platform, readonly Provider[]>> = {
  linux: ['cuda', 'webgpu', 'cpu'],
  win32: ['cuda', 'dml', 'webgpu', 'cpu'],
  darwin: ['coreml', 'webgpu', 'cpu'],
};

/** A GPU compiles its programs at the first step; one that takes longer than this hangs. */
const probeLimitMs = 60_000;

const longestReason = 400;

const cacheSchema = z.object({ fingerprint: z.string(), reports: z.array(deviceReportSchema) });

export interface DeviceOptions {
  place: ModelsPlace;
  /** Tries everything anew, whatever was found before. */
  again?: boolean;
  /** Milliseconds after which a device counts as hung. */
  limitMs?: number;
}

/**
 * Every execution provider this platform could have, each tried with a real step in a throwaway process, in the order
 * in which they would be used. What was found is kept until the machine, its drivers or the runtime change.
 */
export async function reportDevices({
  place,
  again = false,
  limitMs,
}: DeviceOptions): Promise<DeviceReport[]> {
  const fingerprint = await machineFingerprint(place.environment);
  const kept = again ? null : await readKept(place.home.devicesFile);
  if (kept?.fingerprint === fingerprint) return kept.reports;
  const reports = withSlowOnesNamed(await tryAll(place, limitMs ?? probeLimitMs));
  if (reports.every(({ works }) => !works)) return reports;
  try {
    const kept = JSON.stringify({ fingerprint, reports }, null, 2);
    await writeDurably(place.home.devicesFile, Buffer.from(kept));
  } catch (error) {
    // What was found is true all the same; it is only found anew the next time.
    if (!cannotWrite(error)) throw error;
  }
  return reports;
}

function cannotWrite(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOENT'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

/** What `auto` means: the first provider that works and is not slower than the CPU. */
export async function chooseProvider(options: DeviceOptions): Promise<Provider> {
  return chosenOf(await reportDevices(options));
}

/** Of reports in their order, the provider that is used. */
export function chosenOf(reports: readonly DeviceReport[]): Provider {
  return reports.find(({ works, reason }) => works && reason === null)?.provider ?? 'cpu';
}

async function readKept(path: string): Promise<z.infer<typeof cacheSchema> | null> {
  try {
    const kept = cacheSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return kept.success ? kept.data : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Before the id of the process whose probe graph lies in the folder. */
const folderPrefix = 'parlance-devices-';

/** Removes what processes that were killed while they tried left in the temporary folder. */
async function sweepFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(folderPrefix)) continue;
    const owner = Number.parseInt(name.slice(folderPrefix.length), 10);
    if (Number.isNaN(owner) || isRunning(owner)) continue;
    try {
      await rm(join(tmpdir(), name), { recursive: true, force: true });
    } catch (error) {
      // Another person's: theirs to remove.
      if (!cannotWrite(error)) throw error;
    }
  }
}

async function tryAll(place: ModelsPlace, limitMs: number): Promise<DeviceReport[]> {
  const providers = providersByPlatform[process.platform] ?? (['webgpu', 'cpu'] as const);
  let folder: string | null = null;
  try {
    await sweepFolders();
    folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
    const graph = await writeProbeGraph(folder);
    const reports: DeviceReport[] = [];
    // One after another: side by side they would take each other's time.
    for (const provider of providers) reports.push(await tryOne(place, provider, graph, limitMs));
    return reports;
  } catch (error) {
    if (!cannotWrite(error)) throw error;
    const reason = `could not be tried: ${(error as Error).message}`;
    return providers.map((provider) => ({ provider, works: false, reason, stepMs: null }));
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

function tryOne(
  place: ModelsPlace,
  provider: Provider,
  graph: string,
  limitMs: number,
): Promise<DeviceReport> {
  const child = place.startProcess('device-probe', [JSON.stringify({ provider, graph })]);
  return new Promise((resolve) => {
    let result: ProbeResult | null = null;
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill();
    }, limitMs);
    child.onMessage((message) => {
      result = probeResultSchema.parse(message);
    });
    child.onExit((exit) => {
      clearTimeout(limit);
      if (result?.type === 'works')
        resolve({ provider, works: true, reason: result.caution, stepMs: result.stepMs });
      else {
        const told = late ? `did not finish within ${limitMs / 1000} s` : (result?.reason ?? crashed(exit));
        resolve({ provider, works: false, reason: readable(told, exit.lastWords), stepMs: null });
      }
    });
  });
}

function crashed({ code, signal }: ProcessExit): string {
  return signal ? `crashed with signal ${signal}` : `ended with code ${code} before its step was done`;
}

/** Where in its source the runtime wrote a message, and when: of use to nobody who reads the message. */
const whereItWasWritten = [
  /\d{4}-\d\d-\d\d \S+ \[\w:[^\]]*\] /g,
  /\/onnxruntime_src\/[^\n]*? was false\. /g,
  /\/onnxruntime_src\/[^\n]*?\[ONNXRuntimeError\] : \d+ : \w+ : /g,
  /^\s+at \S+ \(.*\)$/gm,
  /\/\S*\/node_modules\//g,
  /OrtSessionOptionsAppendExecutionProvider_\w+: /g,
  /onnxruntime-node\/bin\/\S*\/(?=lib)/g,
];

/** The provider's own words; what its library wrote to the error stream often says more than what it threw. */
function readable(told: string, lastWords: string): string {
  const clean = (text: string): string =>
    whereItWasWritten
      .reduce((left, pattern) => left.replace(pattern, ''), stripVTControlCharacters(text))
      .replace(/\s+/g, ' ')
      .trim();
  const words = clean(lastWords);
  const reason = clean(told);
  return (words === '' || reason.includes(words) ? reason : `${reason} (${words})`).slice(0, longestReason);
}

/** A graphics driver in software works, but nobody wants to wait for it. */
function withSlowOnesNamed(reports: readonly DeviceReport[]): DeviceReport[] {
  const cpu = reports.find(({ provider }) => provider === 'cpu')?.stepMs ?? null;
  return reports.map((report) => {
    if (report.provider === 'cpu' || report.stepMs === null || cpu === null || report.stepMs <= cpu)
      return report;
    const [its, ours] = [report.stepMs, cpu].map((ms) => ms.toFixed(1));
    const slow = `a step takes ${its} ms where the CPU takes ${ours} ms`;
    return { ...report, reason: report.reason === null ? `works, but ${slow}` : `${report.reason}; ${slow}` };
  });
}
