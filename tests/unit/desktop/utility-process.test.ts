import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';

class FakeUtilityProcess extends EventEmitter {
  pid: number | undefined = 4711;
  readonly stderr = new EventEmitter();
  readonly sent: unknown[] = [];
  postMessage(message: unknown): void {
    this.sent.push(message);
  }
}
let child: FakeUtilityProcess;
const forked: unknown[][] = [];
vi.mock('electron', () => ({
  utilityProcess: {
    fork: (...given: unknown[]) => {
      forked.push(given);
      child = new FakeUtilityProcess();
      return child;
    },
  },
}));
const { startUtilityProcess } = await import('../../../src-main/desktop/utility-process.ts');

afterEach(() => vi.restoreAllMocks());

describe('a process of the desktop app', () => {
  it('is a utility process with its parameters, whose output is nobody’s to print', () => {
    startUtilityProcess('/app/engine-process.js', ['/cache'], 'Parlance engine');
    expect(forked.at(-1)).toEqual([
      '/app/engine-process.js',
      ['/cache'],
      { serviceName: 'Parlance engine', stdio: ['ignore', 'ignore', 'pipe'] },
    ]);
  });

  it('carries messages both ways', () => {
    const heard: unknown[] = [];
    const engine = startUtilityProcess('e.js', [], 'e');
    engine.onMessage((message) => heard.push(message));
    engine.send({ type: 'ping', id: 1 });
    child.emit('message', { type: 'pong', id: 1 });
    expect(child.sent).toEqual([{ type: 'ping', id: 1 }]);
    expect(heard).toEqual([{ type: 'pong', id: 1 }]);
  });

  it('tells how it ended with its last words, and drops what is sent afterwards', () => {
    const ends: unknown[] = [];
    const engine = startUtilityProcess('e.js', [], 'e');
    engine.onExit((exit) => ends.push(exit));
    child.stderr.emit('data', Buffer.from(`${'x'.repeat(9000)}out of memory\n`));
    child.emit('exit', 134);
    expect(ends).toMatchObject([
      { code: 134, signal: null, lastWords: expect.stringMatching(/out of memory$/) },
    ]);
    expect(String((ends[0] as { lastWords: string }).lastWords).length).toBeLessThanOrEqual(4096);
    engine.send({ type: 'ping', id: 2 });
    expect(child.sent).toEqual([]);
  });

  it('is ended at once, however busy it is, and only while it runs', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const engine = startUtilityProcess('e.js', [], 'e');
    engine.kill();
    expect(kill).toHaveBeenCalledWith(4711, 'SIGKILL');
    kill.mockClear();
    child.pid = undefined;
    engine.kill();
    expect(kill).not.toHaveBeenCalled();
  });
});
