import type { Provider } from '../contract/index.ts';
import type { StartEngineProcess } from '../engine/engine-process-port.ts';
import { forkEngine } from '../engine/forked-engine.ts';
import { EngineSupervisor } from '../engine/supervisor.ts';
import { entryPath } from './entries.ts';
import type { Home } from './home.ts';
import type { Log } from './log.ts';

export interface EngineParts {
  readonly home: Home;
  readonly log: Log;
  readonly chooseProvider: () => Promise<Provider>;
  /** A utility process in the desktop app; a child of Node when left out. */
  readonly start?: StartEngineProcess;
}

/** The engine behind its supervisor. No process is started before the first question. */
export function createEngineSupervisor({ home, log, chooseProvider, start }: EngineParts): EngineSupervisor {
  return new EngineSupervisor({
    start: start ?? (() => forkEngine(entryPath('engine-process'), [engineCache(home)])),
    chooseProvider,
    log: (event) => log.info(event, 'engine'),
  });
}

/** Where the engine keeps embeddings of sound, and keys and values of conversations. */
export function engineCache(home: Home): string {
  return home.cache;
}
