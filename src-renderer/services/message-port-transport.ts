import type { ConnectionState, Transport } from './transport.ts';

/** The tag of the window message with which the preload script hands over the port. */
const portTag = 'parlance:port';

/** Desktop: a MessagePort to the main process. Ports do not reconnect; when the main process ends, so does the window. */
export function messagePortTransport(): Transport {
  const messageListeners: Array<(message: unknown) => void> = [];
  const stateListeners: Array<(state: ConnectionState) => void> = [];
  let port: MessagePort | undefined;

  window.addEventListener('message', (event) => {
    // The preload script posts from this same window; a frame or another window could not.
    if (event.source !== window || event.data !== portTag) return;
    port = event.ports[0];
    port?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      for (const listener of messageListeners) listener(data);
    });
    port?.start();
    for (const listener of stateListeners) listener('open');
  });
  window.parlance?.connect();

  return {
    send(call) {
      if (!port) throw new Error('The connection to Parlance is not open.');
      port.postMessage(call);
    },
    onMessage: (listener) => void messageListeners.push(listener),
    onState: (listener) => void stateListeners.push(listener),
  };
}
