import { join } from 'node:path';
import {
  app,
  type BrowserWindow,
  dialog,
  ipcMain,
  MessageChannelMain,
  nativeTheme,
  session,
  systemPreferences,
} from 'electron';
import { toFailure } from '../contract/index.ts';
import { openMainWindow } from '../desktop/main-window.ts';
import { denyNavigation } from '../desktop/navigation.ts';
import { limitPermissions } from '../desktop/permissions.ts';
import { registerAppScheme, serveScreen } from '../desktop/scheme.ts';
import { connectScreens } from '../desktop/screen-ports.ts';
import { keepOffline } from '../desktop/session.ts';
import { startUtilityProcess } from '../desktop/utility-process.ts';
import { failureLine } from './commands/output.ts';
import { type Composition, compose } from './composition.ts';
import { contentSecurityPolicy } from './content-security-policy.ts';
import { createEndpoint } from './endpoint.ts';
import { appFolder, entryPath, rendererFolder } from './entries.ts';
import { createHandlers } from './handlers.ts';
import { type Home, homeFolder, openHome } from './home.ts';
import { logCrashes, openLog } from './log.ts';
import { createMachine } from './machine.ts';
import type { StartProcess } from './processes.ts';

const preload = join(appFolder, 'out', 'preload', 'preload.cjs');

/** macOS keeps its own list of who may listen, and asks the person once. */
async function systemMicrophone(): Promise<boolean> {
  return process.platform !== 'darwin' || systemPreferences.askForMediaAccess('microphone');
}

const startProcess: StartProcess = (module, parameters) =>
  startUtilityProcess(entryPath(module), parameters, `Parlance ${module}`);

/** Closes the composition before the app goes; a second request to quit meanwhile waits for the same end. */
function closeBeforeQuit(composition: Composition): void {
  let closing = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    void composition.close().finally(() => app.exit(0));
  });
}

/** Opens the window, or brings the one that is there (or just opening) to the front. */
function keepOneWindow(): () => Promise<void> {
  let opened: Promise<BrowserWindow> | null = null;
  return async () => {
    if (opened !== null) {
      const window = await opened;
      if (window.isMinimized()) window.restore();
      window.focus();
      return;
    }
    opened = openMainWindow({ preload, dark: nativeTheme.shouldUseDarkColors });
    const window = await opened;
    window.on('closed', () => {
      opened = null;
    });
  };
}

async function start(home: Home): Promise<void> {
  const log = openLog(home.logs, 'desktop');
  logCrashes(log);
  const composition = await compose(createMachine(home, log, startProcess));
  closeBeforeQuit(composition);
  const { defaultSession } = session;
  keepOffline(defaultSession);
  limitPermissions(defaultSession, systemMicrophone);
  serveScreen(defaultSession, rendererFolder, contentSecurityPolicy());
  connectScreens({
    ipcMain,
    createChannel: () => new MessageChannelMain(),
    endpoint: createEndpoint({
      handlers: createHandlers({ composition, mode: 'desktop' }),
      events: composition.events,
      log,
    }),
  });
  const showWindow = keepOneWindow();
  app.on('second-instance', () => void showWindow());
  app.on('activate', () => void showWindow());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  await showWindow();
  composition.loadAhead();
}

/** What Electron wants to know before it is ready, which is as soon as this module first waits for something. */
function beforeReady(): void {
  // Two homes are two apps: the lock, the page's own storage and the crash dumps go with the home.
  app.setPath('userData', join(homeFolder(process.env), 'desktop'));
  app.enableSandbox();
  app.commandLine.appendSwitch('disable-background-networking');
  registerAppScheme();
  denyNavigation(app);
}

async function main(): Promise<void> {
  beforeReady();
  if (!app.requestSingleInstanceLock()) return app.quit();
  const home = await openHome();
  await app.whenReady();
  await start(home);
}

main().catch((error: unknown) => {
  const failure = toFailure(error);
  const { message, hint } = failure;
  process.stderr.write(`${failureLine(failure)}\n`);
  dialog.showErrorBox('Parlance cannot start', `${message}\n\n${hint}`);
  app.exit(1);
});
