import type { EnginePort } from '../contract/index.ts';
import type { SpeechPort } from '../contract/speech.ts';
import { EngineSupervisor } from '../engine/process/supervisor.ts';
import { chooseProvider } from '../models/devices.ts';
import type { ModelsPlace } from '../models/place.ts';
import { resourcesFolder } from './entries.ts';
import type { Home } from './home.ts';
import { onKnownDevices } from './known-devices.ts';
import type { Log } from './log.ts';
import { type StartProcess, startNodeProcess } from './processes.ts';

/** This machine as every command and every mode sees it: its folders, its log, and how a process is started on it. */
export interface Machine {
  readonly home: Home;
  readonly log: Log;
  readonly startProcess: StartProcess;
  readonly place: ModelsPlace;
}

export function createMachine(home: Home, log: Log, startProcess: StartProcess = startNodeProcess): Machine {
  const place = { home, resources: resourcesFolder(), environment: process.env, startProcess };
  return { home, log, startProcess, place };
}

/** The engine behind its supervisor. No process is started before the first question. */
export function createEngineOn({ home, log, place, startProcess }: Machine): EnginePort & SpeechPort {
  const supervisor = new EngineSupervisor({
    // The engine keeps encoded sound there, and the keys and values of conversations.
    start: () => startProcess('engine-process', [home.cache]),
    chooseProvider: () => chooseProvider({ place }),
    log: (event) => log.info(event),
  });
  return onKnownDevices(supervisor, place);
}
