/** The way back to the process that started this one. */
export interface ParentPort {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Ends this process once everything that was sent has left it. */
  close(): void;
}

/** What Electron puts on `process` inside a utility process. */
interface UtilityProcessPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
}

function fromUtilityProcess(port: UtilityProcessPort): ParentPort {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => port.on('message', (event) => listener(event.data)),
    // Electron delivers messages that were posted before the exit, and ends the process with its parent.
    close: () => process.exit(0),
  };
}

function fromFork(): ParentPort {
  // Without its parent there is nobody to answer: no orphan keeps the weights in memory.
  process.once('disconnect', () => process.exit(0));
  let pending = Promise.resolve();
  return {
    send(message) {
      if (!process.connected) return;
      const sent = new Promise<void>((resolve) => {
        process.send?.(message, undefined, undefined, () => resolve());
      });
      pending = pending.then(() => sent);
    },
    onMessage: (listener) => process.on('message', listener),
    close: () => void pending.then(() => process.exit(0)),
  };
}

/** Under Electron or Node's `fork`. Throws when nobody started this process that way. */
export function parentPort(): ParentPort {
  const utility = (process as { parentPort?: UtilityProcessPort }).parentPort;
  if (utility) return fromUtilityProcess(utility);
  if (!process.send) throw new Error('This program is started by Parlance, not by hand.');
  return fromFork();
}
