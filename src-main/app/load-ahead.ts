import type { EngineName, EnginePort } from '../contract/index.ts';
import type { AnsweringBundle } from '../conversation/ports.ts';
import { defaultBundle } from '../models/bundles.ts';
import type { Store } from '../store/protocol.ts';
import { faultOf } from './log.ts';
import type { Machine } from './machine.ts';

export interface LoadAheadParts {
  readonly machine: Machine;
  readonly store: Store;
  readonly engine: EnginePort;
  readonly bundle: () => Promise<AnsweringBundle>;
}

/**
 * Has the engine that the settings choose ready before the first question. Never rejects: what stands in its way is logged, and
 * the question that meets it shows it. Without an installed bundle nothing is started.
 */
export async function loadAhead(parts: LoadAheadParts, signal: AbortSignal): Promise<void> {
  const { machine, store, engine } = parts;
  try {
    if ((await defaultBundle(machine.place)) === null) return;
    const [{ folder, preferredEngine }, settings] = await Promise.all([parts.bundle(), store.settings()]);
    const name: EngineName = settings.engine === 'measured' ? preferredEngine : settings.engine;
    await engine.load({ bundle: folder, device: settings.device, engine: name }, signal);
  } catch (error) {
    if (!signal.aborted) machine.log.error({ event: 'load-ahead-failed', ...faultOf(error) });
  }
}
