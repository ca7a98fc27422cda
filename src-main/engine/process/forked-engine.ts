import { fork } from 'node:child_process';
import { engineEnvironment } from './engine-environment.ts';
import type { EngineProcess, EngineProcessExit } from './engine-process-port.ts';

/** Bytes of the error stream that are kept to explain a crash. */
const lastWordsLength = 4096;

/**
 * Starts the engine as a child of this Node process.
 *
 * Its standard output is not ours to print on: a command's `--json` output must hold nothing else.
 *
 * @param entry path of the module that speaks the engine's protocol
 * @param options its arguments
 */
export function forkEngine(entry: string, options: readonly string[]): EngineProcess {
  const child = fork(entry, options, {
    execArgv: [],
    env: engineEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // As between Electron's processes: what has no form in JSON (NaN, undefined) is not silently changed.
    serialization: 'advanced',
  });
  let lastWords = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsLength);
  });

  const exitListeners: Array<(exit: EngineProcessExit) => void> = [];
  let ended = false;
  const end = (code: number | null, signal: string | null): void => {
    if (ended) return;
    ended = true;
    for (const listener of exitListeners) listener({ code, signal, lastWords: lastWords.trim() });
  };
  // `close` comes after `exit`, when the error stream has been read to its end.
  child.on('close', end);
  child.on('error', (error) => {
    lastWords += error.message;
    if (child.pid === undefined) end(null, null);
  });

  return {
    pid: child.pid,
    send(message) {
      if (!child.connected) return;
      // The callback takes the error of a channel that closes meanwhile; `close` tells of the end itself.
      child.send(message as object, (error) => {
        if (error) lastWords += `${error.message}\n`;
      });
    },
    onMessage(listener) {
      child.on('message', listener);
    },
    onExit(listener) {
      exitListeners.push(listener);
    },
    kill() {
      child.kill('SIGKILL');
    },
  };
}
