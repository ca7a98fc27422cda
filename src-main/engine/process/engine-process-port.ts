import type { ProcessExit, ProcessPort } from '../../contract/index.ts';

export type EngineProcessExit = ProcessExit;
/** One run of the engine process. The supervisor checks what comes in. */
export type EngineProcess = ProcessPort;
export type StartEngineProcess = () => EngineProcess;
