import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pack, unpack } from 'msgpackr';
import { WebSocket } from 'ws';
import { contentSecurityPolicy } from '../../../src-main/app/content-security-policy.ts';
import type { AppEvent, Endpoint } from '../../../src-main/contract/index.ts';
import { ParlanceError } from '../../../src-main/contract/index.ts';
import { type RunningServer, startServer } from '../../../src-main/server/server.ts';

export const instanceKey = 'k'.repeat(43);

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server over a screen of one page, what it was asked, and a way to tell its screens something. */
export interface Running {
  readonly server: RunningServer;
  readonly asked: unknown[];
  emit(event: AppEvent): void;
  close(): Promise<void>;
}

/** Answers every call with its own input; the method `never` is not answered before the server closes. */
export async function startEcho(maxCallBytes = 1024 * 1024): Promise<Running> {
  const rendererFolder = await mkdtemp(join(tmpdir(), 'parlance-screen-'));
  await writeFile(join(rendererFolder, 'index.html'), '<!doctype html><title>Parlance</title>');
  await writeFile(join(rendererFolder, 'main.js'), 'export {};');
  const asked: unknown[] = [];
  const listeners = new Set<(event: AppEvent) => void>();
  const endpoint: Endpoint = {
    async answer(received) {
      asked.push(received);
      const call = received as { id?: unknown; method?: unknown; input?: unknown } | undefined;
      if (typeof call?.id !== 'number') throw new ParlanceError('invalid-request', 'no call', 'none');
      if (call.method === 'never') await new Promise(() => undefined);
      return { id: call.id, output: call.input };
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const server = await startServer({
    endpoint,
    rendererFolder,
    contentSecurityPolicy,
    port: 0,
    instanceKey,
    maxCallBytes,
  });
  return {
    server,
    asked,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    async close() {
      await server.close();
      await rm(rendererFolder, { recursive: true });
    },
  };
}

/** One request, with exactly these headers: a browser's own rules about Host and Origin must not help here. */
export async function get(
  address: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Reply> {
  const sent = request(address, { headers, method, agent: false });
  sent.end();
  const [reply] = await once(sent, 'response');
  return { status: reply.statusCode, headers: reply.headers, body: await text(reply) };
}

/** Opens a printed address as a browser does, and gives the cookie that it is paid with. */
export async function sessionCookie(server: RunningServer): Promise<string> {
  const { headers } = await get(server.freshAddress());
  const [cookie = ''] = headers['set-cookie'] ?? [];
  return cookie.split(';')[0] ?? '';
}

export function socketTo(server: RunningServer, headers: Record<string, string>): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${server.port}/rpc`, { headers });
}

/** A screen's connection, as the browser opens it from our own page. */
export async function connect(server: RunningServer): Promise<WebSocket> {
  const cookie = await sessionCookie(server);
  const socket = socketTo(server, { cookie, origin: `http://127.0.0.1:${server.port}` });
  await once(socket, 'open');
  return socket;
}

export async function nextMessage(socket: WebSocket): Promise<unknown> {
  const [data] = await once(socket, 'message');
  return unpack(data as Buffer);
}

export function send(socket: WebSocket, message: unknown): void {
  socket.send(pack(message));
}

/** The status with which an upgrade was refused. */
export async function refusedWith(socket: WebSocket): Promise<number> {
  const [, reply] = await once(socket, 'unexpected-response');
  reply.resume();
  return reply.statusCode;
}

export async function closedWith(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close');
  return code;
}
