import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { parse as parseCookies } from 'hono/utils/cookie';
import { pack, Unpackr } from 'msgpackr';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { type Endpoint, type Message, maxCallBytes } from '../contract/index.ts';
import type { Access } from './access.ts';
import { isOwnHost, isOwnOrigin, sessionCookieName } from './request-checks.ts';

const socketPath = '/rpc';

/** A screen that asks for more at once is not read from until some of it is answered. */
const maxCallsUnderWay = 32;
/** A screen that does not read what it is sent is dropped; it connects again and asks for what it shows. Bytes. */
const maxUnreadBytes = 512 * 1024 * 1024;

const closeCodes = { goingAway: 1001, unsupportedData: 1003, policy: 1008, tryAgainLater: 1013 } as const;
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

interface RpcSocketOptions {
  readonly access: Access;
  readonly endpoint: Endpoint;
  readonly port: () => number;
  readonly maxBytes?: number;
}

export interface RpcSockets {
  /** Says goodbye; a screen that answers is gone at once. */
  close(): void;
  /** Cuts those that did not answer. */
  terminate(): void;
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function unpackCall(data: RawData): unknown {
  try {
    return unpackr.unpack(bytesOf(data));
  } catch {
    // Whatever the decoder stumbled over, the endpoint refuses `undefined` as not being a call.
    return undefined;
  }
}

function converse(socket: WebSocket, endpoint: Endpoint): void {
  const waiting: RawData[] = [];
  let underWay = 0;

  function send(message: Message): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > maxUnreadBytes) {
      socket.close(closeCodes.tryAgainLater, 'The screen does not keep up.');
      return;
    }
    socket.send(pack(message));
  }

  async function answer(data: RawData): Promise<void> {
    try {
      send(await endpoint.answer(unpackCall(data)));
    } catch {
      // Only something that is no call at all is thrown; there is no number to reply to.
      socket.close(closeCodes.policy, 'Not a call.');
    }
    underWay -= 1;
    next();
  }

  /** Begins what may begin; what is left waits here, and what is not here yet stays with the sender. */
  function next(): void {
    while (underWay < maxCallsUnderWay) {
      const data = waiting.shift();
      if (data === undefined) break;
      underWay += 1;
      void answer(data);
    }
    if (waiting.length > 0) socket.pause();
    else if (socket.isPaused) socket.resume();
  }

  const unsubscribe = endpoint.onEvent(send);
  socket.on('message', (data, isBinary) => {
    if (!isBinary) return socket.close(closeCodes.unsupportedData, 'Frames are MessagePack.');
    waiting.push(data);
    next();
  });
  socket.on('close', unsubscribe);
  // Broken frames and frames over the limit: ws has closed the connection with the fitting code by then.
  socket.on('error', unsubscribe);
}

function refuse(socket: Duplex, status: '401 Unauthorized' | '403 Forbidden' | '404 Not Found'): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Answers WebSocket upgrades on `/rpc` that carry our Host, our Origin and a session's cookie. */
export function attachRpcSocket(
  server: Server,
  { access, endpoint, port, maxBytes }: RpcSocketOptions,
): RpcSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxBytes ?? maxCallBytes,
    perMessageDeflate: false,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { host, origin, cookie } = request.headers;
    const session = parseCookies(cookie ?? '')[sessionCookieName(port())];
    socket.on('error', () => socket.destroy());
    if (!isOwnHost(host, port()) || !isOwnOrigin(origin, host)) refuse(socket, '403 Forbidden');
    else if (request.url !== socketPath) refuse(socket, '404 Not Found');
    else if (session === undefined || !access.isSession(session)) refuse(socket, '401 Unauthorized');
    else sockets.handleUpgrade(request, socket, head, (opened) => converse(opened, endpoint));
  });
  return {
    close() {
      for (const socket of sockets.clients) socket.close(closeCodes.goingAway, 'Parlance is closing.');
      sockets.close();
    },
    terminate() {
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}
