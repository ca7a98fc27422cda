import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-node';
import type { Provider } from '../../contract/conversation.ts';

export interface SessionNeeds {
  readonly provider: Provider;
  readonly threads: number;
  /** Threads wait for the next run in a loop: right for a decoder that runs again at once, a waste for all else. */
  readonly spin: boolean;
  /** Outputs that stay on the device and feed the next run, where the provider can (WebGPU alone). */
  readonly resident?: readonly string[];
}

/** Options of onnxruntime for one graph on one provider. What a provider lacks runs on the CPU, within the same session. */
export function sessionOptions(needs: SessionNeeds): InferenceSession.SessionOptions {
  const { provider, threads, spin, resident = [] } = needs;
  const options: InferenceSession.SessionOptions = {
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // An arena keeps the most that any run needed, 100 MB for 30 s of sound: worth it only for what runs again at once.
    enableCpuMemArena: spin,
    // Notices such as "some nodes run on the CPU" are no failures; errors are thrown as well as printed.
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: spin ? '1' : '0' } } },
  };
  if (residesOnDevice(provider) && resident.length > 0)
    options.preferredOutputLocation = Object.fromEntries(resident.map((name) => [name, 'gpu-buffer']));
  return options;
}

/** Whether outputs can stay on the device from one run to the next. */
export function residesOnDevice(provider: Provider): boolean {
  return provider === 'webgpu';
}

/**
 * Threads for one operator: the physical cores, since two threads of one core share its arithmetic units. On Linux they are
 * counted; Apple's have one thread each; elsewhere 0 leaves the count to onnxruntime.
 */
export function physicalCores(): number {
  if (process.platform === 'darwin') return availableParallelism();
  if (process.platform !== 'linux') return 0;
  const cores = new Set<string>();
  let socket = '';
  for (const line of readFileSync('/proc/cpuinfo', 'utf8').split('\n')) {
    const [name, value = ''] = line.split(':').map((part) => part.trim());
    if (name === 'physical id') socket = value;
    if (name === 'core id') cores.add(`${socket}/${value}`);
  }
  // ARM's kernel does not name cores; a container may be allowed fewer than the machine has.
  return Math.min(cores.size || availableParallelism(), availableParallelism());
}
