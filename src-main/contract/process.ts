/** How a process ended. `lastWords`: the end of what it wrote to its error stream, empty when that is not kept. */
export interface ProcessExit {
  code: number | null;
  signal: string | null;
  lastWords: string;
}

/**
 * One run of a process of our own: a child of Node in browser mode, on the command line and in tests, a utility
 * process in the desktop app. Messages are plain data; whoever receives one checks it.
 */
export interface ProcessPort {
  readonly pid: number | undefined;
  /** Sends to a process that has ended are dropped: its end is told by `onExit`. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, also when the process could not be started at all. */
  onExit(listener: (exit: ProcessExit) => void): void;
  /** Ends it at once (SIGKILL where signals exist). */
  kill(): void;
}
