import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../../../src-main/app/endpoint.ts';
import { createEvents } from '../../../src-main/app/events.ts';
import { type Handlers, ParlanceError } from '../../../src-main/contract/index.ts';

/** An endpoint with these handlers, and what it logged. */
function endpointWith(handlers: Partial<Handlers>) {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  const events = createEvents();
  return { endpoint: createEndpoint({ handlers: handlers as Handlers, events, log }), events, lines };
}

const recording = { id: 'r1', conversationId: null, seconds: 0, startedAt: 1 };

describe('the border of the main process', () => {
  it('hands a handler what was checked, with the defaults filled in', async () => {
    let heard: unknown;
    const { endpoint } = endpointWith({
      'conversations.list': async (input) => {
        heard = input;
        return [];
      },
    });
    expect(await endpoint.answer({ id: 1, method: 'conversations.list', input: {} })).toEqual({
      id: 1,
      output: [],
    });
    expect(heard).toEqual({ limit: 200 });
  });

  it('refuses input that is not as agreed, naming the field, and asks no handler', async () => {
    let asked = false;
    const { endpoint } = endpointWith({
      'conversations.rename': async () => {
        asked = true;
        throw new Error('not to be reached');
      },
    });
    const reply = await endpoint.answer({
      id: 2,
      method: 'conversations.rename',
      input: { id: 'c1', title: '' },
    });
    expect(reply).toMatchObject({ id: 2, failure: { code: 'invalid-request' } });
    expect(JSON.stringify(reply)).toContain('title');
    expect(asked).toBe(false);
  });

  it('lets nothing out that is not as agreed', async () => {
    const { endpoint } = endpointWith({
      'recordings.start': async () => ({ ...recording, seconds: -1 }),
    });
    const reply = await endpoint.answer({
      id: 3,
      method: 'recordings.start',
      input: { conversationId: null },
    });
    expect(reply).toMatchObject({ id: 3, failure: { code: 'internal' } });
  });

  it.each(['nothing', 'toString', '__proto__', 'constructor', ''])(
    'knows its requests only: %s',
    async (method) => {
      const { endpoint } = endpointWith({});
      expect(await endpoint.answer({ id: 4, method, input: {} })).toMatchObject({
        id: 4,
        failure: { code: 'invalid-request' },
      });
    },
  );

  it.each([
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { id: 'x', method: 'app.info' },
    { id: -1, method: 'app.info' },
    { id: 1 },
  ])('refuses what is no call: %s', async (received) => {
    const { endpoint } = endpointWith({});
    await expect(endpoint.answer(received)).rejects.toMatchObject({ code: 'invalid-request' });
  });

  it('tells an expected failure as it is, and logs its code but none of its words', async () => {
    const { endpoint, lines } = endpointWith({
      'turns.stop': async () => {
        throw new ParlanceError('turn-missing', 'No turn about my secret.', 'Look elsewhere.');
      },
    });
    const reply = await endpoint.answer({ id: 5, method: 'turns.stop', input: { answerId: 'a1' } });
    expect(reply).toEqual({
      id: 5,
      failure: { code: 'turn-missing', message: 'No turn about my secret.', hint: 'Look elsewhere.' },
    });
    expect(lines.join()).toContain('turn-missing');
    expect(lines.join()).not.toContain('secret');
  });

  it('logs where a fault was thrown, and none of its words', async () => {
    const { endpoint, lines } = endpointWith({
      'turns.stop': async () => {
        throw new TypeError('cannot read my secret');
      },
    });
    const reply = await endpoint.answer({ id: 7, method: 'turns.stop', input: { answerId: 'a1' } });
    expect(reply).toMatchObject({ failure: { code: 'internal' } });
    expect(lines.join()).toContain('endpoint.test.ts');
    expect(lines.join()).not.toContain('secret');
  });

  it('says a full disk as such wherever it struck', async () => {
    const { endpoint } = endpointWith({
      'recordings.append': async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      },
    });
    const input = { id: 'r1', pcm: new Uint8Array(2) };
    expect(await endpoint.answer({ id: 6, method: 'recordings.append', input })).toMatchObject({
      failure: { code: 'disk-full' },
    });
  });

  it('passes events on until the subscription ends', () => {
    const { endpoint, events } = endpointWith({});
    const heard: unknown[] = [];
    const end = endpoint.onEvent((event) => heard.push(event));
    events.emit({ event: 'conversation.deleted', id: 'c1' });
    end();
    events.emit({ event: 'conversation.deleted', id: 'c2' });
    expect(heard).toEqual([{ event: 'conversation.deleted', id: 'c1' }]);
  });
});
