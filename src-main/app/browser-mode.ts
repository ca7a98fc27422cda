import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ParlanceError, toFailure } from '../contract/index.ts';
import { instancePath } from '../server/pages.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import { failureLine } from './commands/output.ts';
import { type Composition, compose } from './composition.ts';
import { contentSecurityPolicy } from './content-security-policy.ts';
import { createEndpoint } from './endpoint.ts';
import { rendererFolder } from './entries.ts';
import { createHandlers } from './handlers.ts';
import { type Home, openHome } from './home.ts';
import { type InstanceLock, lockOrAddress, newInstanceKey } from './instance.ts';
import { type Log, logCrashes, openLog } from './log.ts';
import { createMachine } from './machine.ts';
import { ensureScreen } from './screen-build.ts';

interface Options {
  readonly port: number;
  readonly open: boolean;
}

const usage = 'Its options are --port N and --no-open.';

function readOptions(parameters: string[]): Options {
  const { port: given, open } = parsed(parameters);
  const port = Number(given);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return { port, open };
  throw new ParlanceError('invalid-request', `--port ${given} is no port.`, usage);
}

function parsed(parameters: string[]): { port: string; open: boolean } {
  const port = { type: 'string', default: '0' } as const;
  const open = { type: 'boolean', default: true } as const;
  try {
    return parseArgs({ args: parameters, options: { port, open }, allowNegative: true }).values;
  } catch (error) {
    // Node's own words name the option that it does not know.
    throw new ParlanceError('invalid-request', (error as Error).message, usage, { cause: error });
  }
}

/** One line, so that a program that starts us can read it. */
function say(address: string): void {
  process.stdout.write(`Parlance: ${address}\n`);
}

/** Opens the person's browser, where there is a screen to open it on. The address was printed in any case. */
function openBrowser(address: string): void {
  const { platform, env } = process;
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return;
  const [command, parameters] =
    platform === 'darwin'
      ? ['open', [address]]
      : platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', address]]
        : ['xdg-open', [address]];
  const child = spawn(command, parameters as string[], { stdio: 'ignore', detached: true });
  child.on('error', () => process.stderr.write('No browser could be opened; open the address above.\n'));
  child.unref();
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
}

async function start(home: Home, log: Log, port: number, key: string): Promise<[Composition, RunningServer]> {
  const composition = await compose(createMachine(home, log));
  try {
    const handlers = createHandlers({ composition, mode: 'browser' });
    const endpoint = createEndpoint({ handlers, events: composition.events, log });
    const screen = { rendererFolder, contentSecurityPolicy };
    const server = await startServer({ endpoint, port, ...screen, instanceKey: key });
    composition.loadAhead();
    return [composition, server];
  } catch (error) {
    await composition.close();
    throw error;
  }
}

/** Serves until a signal asks for the end. */
async function serve(home: Home, port: number, lock: InstanceLock, show: (address: string) => void) {
  const stop = stopSignal();
  await ensureScreen();
  const log = openLog(home.logs, 'browser');
  logCrashes(log);
  const key = newInstanceKey();
  const [composition, server] = await start(home, log, port, key);
  try {
    await lock.announce(server.port, key);
    show(server.freshAddress());
    log.info({ event: 'stopping', signal: await stop });
  } finally {
    await server.close();
    await composition.close();
  }
}

/** Browser mode: the composition behind a loopback address, once for each home. */
async function main(): Promise<void> {
  const { port, open } = readOptions(process.argv.slice(2));
  const show = (address: string) => {
    say(address);
    if (open) openBrowser(address);
  };
  const home = await openHome();
  const mine = await lockOrAddress(home.folder, instancePath);
  if ('address' in mine) {
    process.stderr.write('Parlance is running already; this address opens one more window of it.\n');
    return show(mine.address);
  }
  try {
    await serve(home, port, mine.lock, (address) => {
      show(address);
      process.stderr.write('Open it in a browser on this computer; Ctrl+C ends Parlance.\n');
    });
  } finally {
    await mine.lock.release();
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${failureLine(toFailure(error))}\n`);
  process.exitCode = 1;
}
