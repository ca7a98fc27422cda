// What must be there before anything of Parlance runs: a Node that is new enough, the packages, a built screen.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cache, digest, loudly, quietly, root, StepError, stamp, stamped, step } from './steps.mjs';

/** TypeScript runs as it is from this version on, and better-sqlite3 needs 22.12. */
const leastNode = [22, 18];
const ownNodeVersion = '22.23.3';
const ownNode = join(cache, 'node');

function ownNodePackage() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return `node-${platform}-${process.arch}`;
}

function ownNodeBinary() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  return join(ownNode, 'node_modules', ownNodePackage(), 'bin', name);
}

function nodeIsNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
}

function npm() {
  const cli = process.env.npm_execpath;
  return cli && existsSync(cli) ? { command: process.execPath, args: [cli] } : { command: 'npm', args: [] };
}

/**
 * Goes on under a Node that is new enough: returns when this one is, otherwise fetches one, runs this very
 * script with it and ends with its exit code.
 */
export async function underOwnNode() {
  if (nodeIsNewEnough()) return;
  if (!existsSync(ownNodeBinary())) {
    await step(
      `Node ${process.versions.node} is older than ${leastNode.join('.')}: fetching Node ${ownNodeVersion}`,
      async () => {
        const { command, args } = npm();
        const wanted = `${ownNodePackage()}@${ownNodeVersion}`;
        await quietly(command, [
          ...args,
          'install',
          '--prefix',
          ownNode,
          '--no-save',
          '--no-package-lock',
          wanted,
        ]);
      },
    );
  }
  const environment = { ...process.env, PATH: `${join(ownNodeBinary(), '..')}:${process.env.PATH}` };
  process.exit(await loudly(ownNodeBinary(), process.argv.slice(1), { env: environment }));
}

/**
 * The packages of package-lock.json, once for each lock file. Not `npm ci`: it refuses a lock file that lacks the
 * binaries of other platforms, which is what npm writes where a registry does not carry them.
 */
export async function ensurePackages() {
  const lock = digest(['package-lock.json', '.npmrc']);
  const modules = join(root, 'node_modules');
  if (stamped('packages', lock) && existsSync(modules)) return;
  const wanted = Object.keys(
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages,
  ).length;
  await step('Installing packages', async (report) => {
    const timer = setInterval(() => report(installedCount(modules) / wanted), 500);
    const { command, args } = npm();
    try {
      await quietly(command, [...args, 'install', '--no-save', '--include=dev', '--prefer-offline']);
    } finally {
      clearInterval(timer);
    }
  });
  stamp('packages', lock);
}

function installedCount(modules) {
  if (!existsSync(modules)) return 0;
  return readdirSync(modules).reduce((count, name) => {
    if (name.startsWith('.')) return count;
    return count + (name.startsWith('@') ? readdirSync(join(modules, name)).length : 1);
  }, 0);
}

/** Debian packages by the command or file that each brings; installed when we are root, otherwise named. */
export async function ensureSystemPackages(wanted) {
  const missing = wanted.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (missing.length === 0) return [];
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!canInstall) return missing;
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await step(`Installing ${missing.join(', ')}`, async () => {
      await quietly('apt-get', ['update', '-q'], { env: environment });
      await quietly('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], {
        env: environment,
      });
    });
  } catch (error) {
    process.stderr.write(`${error.message.split('\n').slice(-2).join(' ')}\n`);
  }
  return wanted.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
}

/** Builds the screen into out/renderer when its sources changed. */
export async function ensureScreen() {
  const sources = digest(['src-renderer', 'src-main/contract', 'package-lock.json']);
  if (stamped('screen', sources) && existsSync(join(root, 'out/renderer/index.html'))) return;
  await step('Building the screen', () =>
    quietly(process.execPath, [
      join(root, 'node_modules/vite/bin/vite.js'),
      'build',
      '--config',
      'src-renderer/vite.config.ts',
    ]),
  );
  stamp('screen', sources);
}

/** Builds the main process, the preload script and the screen for Electron. */
export async function ensureDesktopBuild() {
  const sources = digest([
    'src-renderer',
    'src-main',
    'native-models',
    'electron.vite.config.ts',
    'package-lock.json',
  ]);
  if (stamped('desktop', sources) && existsSync(join(root, 'out/main/electron.js'))) return;
  await step('Building the desktop app', () =>
    quietly(process.execPath, [join(root, 'node_modules/electron-vite/bin/electron-vite.js'), 'build']),
  );
  stamp('desktop', sources);
  stamp('screen', '');
}

/** Path of the Electron binary, fetched if it can be; null, after saying so in one line, when it cannot. */
export async function electronBinary() {
  const folder = join(root, 'node_modules/electron');
  const named = join(folder, 'path.txt');
  const binary = () => (existsSync(named) ? join(folder, 'dist', readFileSync(named, 'utf8').trim()) : null);
  const present = binary();
  if (present && existsSync(present)) return present;
  if (triedLately()) return null;
  try {
    await step('Fetching Electron', () =>
      quietly(process.execPath, [join(folder, 'install.js')], { timeout: 600_000 }),
    );
  } catch {
    stamp('electron-missing', String(Date.now()));
    return null;
  }
  return binary();
}

/** A download that failed is tried again after a day, so that every other start is quick and works offline. */
function triedLately() {
  const file = join(cache, 'stamps', 'electron-missing');
  return existsSync(file) && Date.now() - statSync(file).mtimeMs < 24 * 3600_000;
}

/** Where tests have their bundle, apart from the person's own. */
export const testHome = join(cache, 'test-home');

/** The default bundle for tests, with the weights that it is made of. Path of the folder of weights. */
export async function ensureWeights() {
  await ensureBundle({ PARLANCE_HOME: testHome }, ['--keep-downloads']);
  return join(testHome, 'downloads');
}

/** Installs the voices that the tests speak with. */
export async function ensureVoices() {
  const args = [join(root, 'bin/parlance.mjs'), 'models', 'pull', 'kokoro'];
  const code = await loudly(process.execPath, args, { env: { ...process.env, PARLANCE_HOME: testHome } });
  if (code !== 0)
    throw new StepError(
      'The voices could not be installed; the reasons stand above. Run the same command again.',
    );
}

/** Installs the default bundle through the command line, which shows its own progress. */
export async function ensureBundle(environment = {}, more = []) {
  const args = [join(root, 'bin/parlance.mjs'), 'models', 'pull', 'parlance-mini', ...more];
  const code = await loudly(process.execPath, args, { env: { ...process.env, ...environment } });
  if (code !== 0) {
    throw new StepError(
      'The default bundle could not be installed; the reasons stand above. Run the same command again to resume.',
    );
  }
}
