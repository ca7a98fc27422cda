// `npm start`: sets up what is missing, then opens the app; in the browser where Electron cannot be had.
import { join } from 'node:path';
import {
  electronBinary,
  ensureBundle,
  ensureDesktopBuild,
  ensurePackages,
  ensureScreen,
  ensureSystemPackages,
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

run(async () => {
  await underOwnNode();
  await ensurePackages();
  await ensureBundle();
  const more = process.argv.slice(2);
  const inBrowser = more.includes('--browser');
  const electron = inBrowser ? null : await electronBinary();
  if (electron) {
    if (process.platform === 'linux' && process.arch === 'x64') await ensureSystemPackages(electronLibraries);
    await ensureDesktopBuild();
    process.exitCode = await loudly(electron, [root, ...more]);
    return;
  }
  await ensureScreen();
  if (!inBrowser)
    process.stderr.write('The Electron binary could not be fetched; starting browser mode instead.\n');
  const rest = more.filter((option) => option !== '--browser');
  process.exitCode = await loudly(process.execPath, [join(root, 'src-main/app/browser-mode.ts'), ...rest]);
});
