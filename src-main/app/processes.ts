import type { ProcessPort } from '../contract/index.ts';
import { forkEngine } from '../engine/process/forked-engine.ts';
import { entryPath } from './entries.ts';

/** The modules that run in a process of their own: each may crash, hang or be ended alone. */
type ProcessModule = 'engine-process' | 'build-process' | 'device-probe';
export type StartProcess = (module: ProcessModule, parameters: readonly string[]) => ProcessPort;

/** As a child of Node: browser mode, the command line, tests. */
export const startNodeProcess: StartProcess = (module, parameters) =>
  forkEngine(entryPath(module), parameters);
