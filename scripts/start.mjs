// `npm start`: sets up what is missing, then opens the app; in the browser where Electron cannot be had.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  electronBinary,
  ensureBundle,
  ensureDesktopBuild,
  ensurePackages,
  ensureScreen,
  underOwnNode,
} from './setup.mjs';
import { loudly, root, run } from './steps.mjs';

/** Libraries of the system that Electron's window needs on Debian. */
const electronLibraries = [
  { name: 'libgtk-3-0', file: '/usr/lib/x86_64-linux-gnu/libgtk-3.so.0' },
  { name: 'libnss3', file: '/usr/lib/x86_64-linux-gnu/libnss3.so' },
  { name: 'libasound2', file: '/usr/lib/x86_64-linux-gnu/libasound.so.2' },
  { name: 'libgbm1', file: '/usr/lib/x86_64-linux-gnu/libgbm.so.1' },
];

/** Why Electron cannot show a window here; null when nothing speaks against it. Its sandbox stays on in any case. */
function noWindow() {
  if (process.platform !== 'linux') return null;
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return 'There is no display to show a window on';
  if (process.getuid() === 0) return 'A window in a sandbox cannot be shown for root';
  return null;
}

/** Starts the window and resolves with null once it is closed, or resolves with why there is none. */
async function openWindow(parameters) {
  const reason = noWindow();
  if (reason !== null) return reason;
  const electron = await electronBinary();
  if (electron === null) return 'The Electron binary could not be fetched';
  const missing = missingLibraries();
  if (missing.length > 0) return `A window needs the system packages ${missing.join(', ')}`;
  await ensureDesktopBuild();
  process.exitCode = await loudly(electron, [root, ...parameters]);
  return null;
}

/** Elsewhere than on Debian they lie in other places, and Electron itself names the one that it lacks. */
function missingLibraries() {
  const isDebian = process.platform === 'linux' && process.arch === 'x64' && existsSync('/usr/bin/apt-get');
  return isDebian ? electronLibraries.filter(({ file }) => !existsSync(file)).map(({ name }) => name) : [];
}

run(async () => {
  await underOwnNode();
  await ensurePackages();
  await ensureBundle();
  const more = process.argv.slice(2);
  if (!more.includes('--browser')) {
    const reason = await openWindow(more);
    if (reason === null) return;
    process.stderr.write(`${reason}; starting browser mode instead.\n`);
  }
  await ensureScreen();
  const rest = more.filter((option) => option !== '--browser');
  process.exitCode = await loudly(process.execPath, [join(root, 'src-main/app/browser-mode.ts'), ...rest]);
});
