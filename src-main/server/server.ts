import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Endpoint, ParlanceError } from '../contract/index.ts';
import { createAccess } from './access.ts';
import { createPages, type PagesOptions } from './pages.ts';
import { attachRpcSocket } from './rpc-socket.ts';

const loopback = '127.0.0.1';
/** How long an open page may take to let go when Parlance closes. */
const patienceMs = 500;

export interface ServerOptions extends Pick<PagesOptions, 'rendererFolder' | 'contentSecurityPolicy'> {
  readonly endpoint: Endpoint;
  /** 0 takes a free one. */
  readonly port: number;
  /** With it a second start may ask for a fresh address. */
  readonly instanceKey: string;
  /** Longest WebSocket frame, bytes. */
  readonly maxCallBytes?: number;
}

export interface RunningServer {
  readonly port: number;
  /** The screen's address with a token that works once. */
  freshAddress(): string;
  close(): Promise<void>;
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen({ host: loopback, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new ParlanceError(
      'invalid-request',
      `Port ${port} of ${loopback} cannot be used: ${(cause as Error).message}.`,
      'Leave --port out to take a free one, or name another.',
      { cause },
    );
  }
  return (server.address() as AddressInfo).port;
}

/** Serves the screen and the contract on the loopback address. Rejects with `invalid-request` when the port is taken. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const access = createAccess(options.instanceKey);
  let port = options.port;
  const freshAddress = () => `http://${loopback}:${port}/?token=${access.newToken()}`;
  const pages = createPages({ ...options, access, port: () => port, freshAddress });
  const server = createServer(getRequestListener(pages.fetch, { overrideGlobalObjects: false }));
  const { endpoint } = options;
  const sockets = attachRpcSocket(server, {
    access,
    endpoint,
    port: () => port,
    ...(options.maxCallBytes === undefined ? {} : { maxBytes: options.maxCallBytes }),
  });
  port = await listen(server, port);

  return {
    port,
    freshAddress,
    async close() {
      sockets.close();
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const impatience = setTimeout(() => {
        sockets.terminate();
        server.closeAllConnections();
      }, patienceMs);
      await closed;
      clearTimeout(impatience);
    },
  };
}
