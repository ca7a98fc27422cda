import { pack, unpack } from 'msgpackr';
import type { ConnectionState, Transport } from './transport.ts';

const firstDelayMs = 250;
const longestDelayMs = 5000;

/** Browser mode: MessagePack frames over `/rpc` of the page's own origin; tries again for as long as the page is open. */
export function webSocketTransport(address: string): Transport {
  const messageListeners: Array<(message: unknown) => void> = [];
  const stateListeners: Array<(state: ConnectionState) => void> = [];
  let socket: WebSocket | undefined;
  let delayMs = firstDelayMs;

  const connect = () => {
    const opening = new WebSocket(address);
    opening.binaryType = 'arraybuffer';
    opening.addEventListener('open', () => {
      socket = opening;
      delayMs = firstDelayMs;
      for (const listener of stateListeners) listener('open');
    });
    opening.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
      const message: unknown = unpack(new Uint8Array(data));
      for (const listener of messageListeners) listener(message);
    });
    opening.addEventListener('close', () => {
      socket = undefined;
      for (const listener of stateListeners) listener('lost');
      setTimeout(connect, delayMs);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    });
  };
  connect();

  return {
    send(call) {
      if (socket?.readyState !== WebSocket.OPEN) throw new Error('The connection to Parlance is not open.');
      socket.send(pack(call));
    },
    onMessage: (listener) => void messageListeners.push(listener),
    onState: (listener) => void stateListeners.push(listener),
  };
}
