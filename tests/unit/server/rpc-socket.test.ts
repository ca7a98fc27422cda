import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  closedWith,
  connect,
  nextMessage,
  type Running,
  refusedWith,
  send,
  sessionCookie,
  socketTo,
  startEcho,
} from './browser.ts';

const maxCallBytes = 64 * 1024;
let running: Running;

beforeEach(async () => {
  running = await startEcho(maxCallBytes);
});
afterEach(() => running.close());

describe('the WebSocket', () => {
  it('carries calls, bytes included, and their answers', async () => {
    const socket = await connect(running.server);
    send(socket, { id: 1, method: 'recordings.append', input: { pcm: new Uint8Array([1, 2, 3]) } });
    const message = (await nextMessage(socket)) as { id: number; output: { pcm: Uint8Array } };
    expect(message.id).toBe(1);
    expect([...message.output.pcm]).toEqual([1, 2, 3]);
  });

  it('tells every tab what happens', async () => {
    const tabs = await Promise.all([connect(running.server), connect(running.server)]);
    const told = Promise.all(tabs.map(nextMessage));
    running.emit({ event: 'conversation.deleted', id: 'c1' });
    expect(await told).toEqual([
      { event: 'conversation.deleted', id: 'c1' },
      { event: 'conversation.deleted', id: 'c1' },
    ]);
  });

  it('needs the cookie', async () => {
    const origin = `http://127.0.0.1:${running.server.port}`;
    expect(await refusedWith(socketTo(running.server, { origin }))).toBe(401);
    const cookie = `parlance-session-${running.server.port}=guess`;
    expect(await refusedWith(socketTo(running.server, { origin, cookie }))).toBe(401);
  });

  it.each(['http://evil.test', 'null', 'http://127.0.0.1', 'https://localhost'])(
    'is not opened for a page of another origin: %s',
    async (origin) => {
      const cookie = await sessionCookie(running.server);
      expect(await refusedWith(socketTo(running.server, { cookie, origin }))).toBe(403);
    },
  );

  it('is not opened without an origin: no page of ours leaves it out', async () => {
    const cookie = await sessionCookie(running.server);
    expect(await refusedWith(socketTo(running.server, { cookie }))).toBe(403);
  });

  it('is not opened for another name that points here', async () => {
    const cookie = await sessionCookie(running.server);
    const host = `evil.test:${running.server.port}`;
    expect(await refusedWith(socketTo(running.server, { cookie, host, origin: `http://${host}` }))).toBe(403);
  });
});

describe('what is no call', () => {
  it('ends the connection when it is longer than a call may be, and reaches nobody', async () => {
    const socket = await connect(running.server);
    const closed = closedWith(socket);
    send(socket, { id: 1, method: 'turns.askFile', input: { bytes: new Uint8Array(maxCallBytes + 1) } });
    expect(await closed).toBe(1009);
    expect(running.asked).toEqual([]);
  });

  it('ends the connection when it is text', async () => {
    const socket = await connect(running.server);
    const closed = closedWith(socket);
    socket.send('{"id":1,"method":"app.info","input":{}}');
    expect(await closed).toBe(1003);
    expect(running.asked).toEqual([]);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['a broken frame', new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff])],
    ['a number', new Uint8Array([7])],
    ['an unknown extension', new Uint8Array([0xc7, 0x01, 0x73, 0x00])],
  ])('ends the connection when it is %s', async (_name, bytes) => {
    const socket = await connect(running.server);
    const closed = closedWith(socket);
    socket.send(bytes);
    expect(await closed).toBe(1008);
  });

  it('leaves the other tabs alone', async () => {
    const [good, bad] = await Promise.all([connect(running.server), connect(running.server)]);
    const closed = closedWith(bad);
    bad.send(new Uint8Array([7]));
    await closed;
    send(good, { id: 2, method: 'app.info', input: {} });
    expect(await nextMessage(good)).toEqual({ id: 2, output: {} });
  });
});

describe('a screen that asks for too much at once', () => {
  it('is read from again once some of it is answered, and gets every answer', async () => {
    const socket = await connect(running.server);
    const wanted = 200;
    const answered = new Set<number>();
    const all = new Promise<void>((resolve) => {
      socket.on('message', () => {
        answered.add(answered.size);
        if (answered.size === wanted) resolve();
      });
    });
    for (let id = 0; id < wanted; id++) send(socket, { id, method: 'app.info', input: {} });
    await all;
    expect(running.asked).toHaveLength(wanted);
  });

  it('is not read from while too much is unanswered', async () => {
    const socket = await connect(running.server);
    for (let id = 0; id < 100; id++) send(socket, { id, method: 'never', input: {} });
    // A second tab's answer comes after the first tab's frames were taken from the loop.
    const other = await connect(running.server);
    send(other, { id: 1000, method: 'app.info', input: {} });
    await once(other, 'message');
    expect(running.asked.length).toBeLessThan(100);
  });
});

describe('closing', () => {
  it('tells open tabs and does not wait for those that are silent', async () => {
    const socket = await connect(running.server);
    const closed = closedWith(socket);
    await running.server.close();
    expect(await closed).toBe(1001);
    running.close = async () => undefined;
  });
});
