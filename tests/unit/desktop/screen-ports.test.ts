import { EventEmitter, once } from 'node:events';
import type { IpcMain, MessageChannelMain } from 'electron';
import { describe, expect, it } from 'vitest';
import { type AppEvent, type Endpoint, ParlanceError } from '../../../src-main/contract/index.ts';
import { connectScreens } from '../../../src-main/desktop/screen-ports.ts';
import { FakePort } from './fake-electron.ts';

interface Frame {
  url: string;
  parent: object | null;
}

/** A main process with an endpoint that echoes, and a screen's frame that asks for its port. */
function setUp() {
  const ipcMain = new EventEmitter();
  const mine = new FakePort();
  const theirs = new FakePort();
  const listeners = new Set<(event: AppEvent) => void>();
  const sent: unknown[] = [];
  const endpoint: Endpoint = {
    async answer(received) {
      const call = received as { id?: number; input?: unknown } | null;
      if (typeof call?.id !== 'number') throw new ParlanceError('invalid-request', 'no call', 'none');
      return { id: call.id, output: call.input };
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  connectScreens({
    ipcMain: ipcMain as unknown as IpcMain,
    createChannel: () => ({ port1: mine, port2: theirs }) as unknown as MessageChannelMain,
    endpoint,
  });
  const ask = (frame: Frame | null) => {
    const senderFrame = frame && {
      ...frame,
      postMessage: (...given: unknown[]) => sent.push(given),
    };
    ipcMain.emit('parlance:connect', { senderFrame });
  };
  return { mine, theirs, sent, ask, listeners };
}

const screen: Frame = { url: 'parlance://app/index.html', parent: null };

describe('a screen of ours', () => {
  it('is given a port on which its calls are answered', async () => {
    const { mine, theirs, sent, ask } = setUp();
    ask(screen);
    expect(sent).toEqual([['parlance:port', null, [theirs]]]);
    expect(mine.started).toBe(true);
    mine.emit('message', { data: { id: 4, method: 'app.info', input: {} } });
    await once(mine, 'posted');
    expect(mine.posted).toEqual([{ id: 4, output: {} }]);
  });

  it('hears what happens until its port closes', () => {
    const { mine, ask, listeners } = setUp();
    ask(screen);
    for (const listener of listeners) listener({ event: 'conversation.deleted', id: 'c1' });
    expect(mine.posted).toEqual([{ event: 'conversation.deleted', id: 'c1' }]);
    mine.close();
    expect(listeners.size).toBe(0);
  });

  it('loses its port when it sends what is no call', async () => {
    const { mine, ask } = setUp();
    ask(screen);
    const closed = once(mine, 'close');
    mine.emit('message', { data: 'no call' });
    await closed;
    expect(mine.posted).toEqual([]);
  });
});

describe('anyone else', () => {
  it.each([
    ['a page from the web', { url: 'https://example.org/', parent: null }],
    ['a file', { url: 'file:///tmp/index.html', parent: null }],
    ['a host that only looks like ours', { url: 'parlance://app.example.org/', parent: null }],
    ['a frame inside our page', { url: 'parlance://app/index.html', parent: {} }],
    ['a frame that is gone', null],
  ])('is given nothing: %s', (_who, frame) => {
    const { mine, sent, ask } = setUp();
    ask(frame);
    expect(sent).toEqual([]);
    expect(mine.started).toBe(false);
  });
});
