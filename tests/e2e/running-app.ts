import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const browserMode = fileURLToPath(new URL('../../src-main/app/browser-mode.ts', import.meta.url));

/** An empty home that has the default bundle, and nothing else. */
export function homeWithBundle(): string {
  const bundle = process.env.PARLANCE_TEST_BUNDLE;
  if (!bundle || !existsSync(join(bundle, 'bundle.json'))) {
    throw new Error('PARLANCE_TEST_BUNDLE does not name a built bundle; `npm test` builds one and sets it.');
  }
  const home = emptyHome();
  mkdirSync(join(home, 'models'));
  symlinkSync(bundle, join(home, 'models/parlance-mini'), 'dir');
  return home;
}

export const emptyHome = () => mkdtempSync(join(tmpdir(), 'parlance-e2e-'));

export const removeHome = (home: string) => rmSync(home, { recursive: true, force: true });

/** Browser mode as a person starts it, in a process of its own. */
export class RunningApp {
  /** With a token that works once. */
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, address: string) {
    this.#process = process;
    this.address = address;
  }

  static async start(home: string): Promise<RunningApp> {
    const child = spawn(process.execPath, [browserMode, '--no-open'], {
      env: { ...process.env, PARLANCE_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /^Parlance: (http\S+)$/.exec(line)?.[1];
      if (address !== undefined) return new RunningApp(child, address);
    }
    throw new Error(`Browser mode ended without an address: ${said.join('')}`);
  }

  /** Ends it as a person would. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends it as a power cut would: nothing in it gets to run again. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Process ids of the engine: none before the first question, one afterwards. */
  enginePids(): number[] {
    const pid = this.#process.pid;
    if (pid === undefined) return [];
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((child) => child !== '')
      .filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('engine-process'))
      .map(Number);
  }

  async #end(signal: NodeJS.Signals) {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }
}
