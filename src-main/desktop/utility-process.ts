import { utilityProcess } from 'electron';
import type { ProcessPort } from '../contract/index.ts';

/** Bytes of the error stream that are kept to explain a crash. */
const lastWordsLength = 4096;

/**
 * Starts a module as a utility process: the desktop's counterpart of a child of Node. The packaged app cannot run its
 * own executable as Node (that fuse is off), so every helper process is started here.
 */
export function startUtilityProcess(entry: string, parameters: readonly string[], name: string): ProcessPort {
  const child = utilityProcess.fork(entry, [...parameters], {
    serviceName: name,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastWords = '';
  let ended = false;
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString('utf8')).slice(-lastWordsLength);
  });
  child.on('exit', () => {
    ended = true;
  });
  return {
    get pid() {
      return child.pid;
    },
    send(message) {
      if (!ended) child.postMessage(message);
    },
    onMessage(listener) {
      child.on('message', listener);
    },
    onExit(listener) {
      child.on('exit', (code) => listener({ code, signal: null, lastWords: lastWords.trim() }));
    },
    kill() {
      // `kill()` of a utility process asks politely; a hung engine does not listen.
      if (child.pid !== undefined) endAtOnce(child.pid);
    },
  };
}

function endAtOnce(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself a moment ago, which `exit` is about to tell.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
