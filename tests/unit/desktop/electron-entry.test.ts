import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakePort, FakeSession } from './fake-electron.ts';

/** What was asked of Electron, in order. */
const steps: string[] = [];
const windows: FakeWindow[] = [];
const session = new FakeSession();
const ready = Promise.withResolvers<void>();
const ipcMain = new EventEmitter();

class FakeWindow extends EventEmitter {
  readonly options: Record<string, unknown>;
  loaded = '';
  focused = 0;
  shown = false;
  constructor(options: Record<string, unknown>) {
    super();
    this.options = options;
    windows.push(this);
    steps.push('window');
  }
  async loadURL(url: string): Promise<void> {
    this.loaded = url;
    this.emit('ready-to-show');
    app.emit('window-loaded');
  }
  show(): void {
    this.shown = true;
  }
  focus(): void {
    this.focused += 1;
    app.emit('window-focused');
  }
  isMinimized(): boolean {
    return false;
  }
}

class FakeApp extends EventEmitter {
  readonly paths = new Map<string, string>();
  readonly commandLine = { appendSwitch: (name: string) => steps.push(name) };
  setPath(name: string, path: string): void {
    this.paths.set(name, path);
  }
  enableSandbox(): void {
    steps.push('sandbox');
  }
  requestSingleInstanceLock(): boolean {
    steps.push('lock');
    return true;
  }
  async whenReady(): Promise<void> {
    await ready.promise;
    steps.push('ready');
  }
  quit(): void {
    this.emit('before-quit', { preventDefault: () => steps.push('quit held back') });
  }
  exit(code: number): void {
    steps.push(`exit ${code}`);
    this.emit('exited');
  }
}
const app = new FakeApp();

vi.mock('electron', () => ({
  app,
  BrowserWindow: FakeWindow,
  dialog: { showErrorBox: (title: string, text: string) => steps.push(`${title}: ${text}`) },
  ipcMain,
  MessageChannelMain: class {
    port1 = new FakePort();
    port2 = new FakePort();
  },
  nativeTheme: { shouldUseDarkColors: false },
  protocol: { registerSchemesAsPrivileged: () => steps.push('scheme') },
  session: { defaultSession: session },
  systemPreferences: { askForMediaAccess: async () => true },
  utilityProcess: { fork: () => steps.push('process') },
}));

let home: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'parlance-desktop-'));
  process.env.PARLANCE_HOME = home;
  await import('../../../src-main/app/electron.ts');
});
afterAll(() => {
  delete process.env.PARLANCE_HOME;
  rmSync(home, { recursive: true });
});

describe('the desktop app', () => {
  it('sets the sandbox and its scheme before Electron is ready, and asks whether it is the only one', () => {
    expect(steps.slice(0, 4)).toEqual(['sandbox', 'disable-background-networking', 'scheme', 'lock']);
    expect(steps).not.toContain('ready');
    expect(app.paths.get('userData')).toBe(join(home, 'desktop'));
  });

  it('opens one window, on its own page, shut in', async () => {
    const loaded = once(app, 'window-loaded');
    ready.resolve();
    await loaded;
    expect(windows).toHaveLength(1);
    expect(windows[0]?.loaded).toBe('parlance://app/index.html');
    expect(windows[0]?.shown).toBe(true);
    expect(windows[0]?.options).toMatchObject({
      show: false,
      webPreferences: {
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        webviewTag: false,
        spellcheck: false,
      },
    });
    expect(existsSync(join(home, 'parlance.db'))).toBe(true);
  });

  it('limits the session of the window before there is a window', async () => {
    expect(session.lets('https://example.org/')).toBe(false);
    expect(await session.asks('geolocation', { isMainFrame: true, requestingUrl: 'parlance://app/' })).toBe(
      false,
    );
    expect(session.handlers.has('parlance')).toBe(true);
    expect(session.spellChecker).toBe(false);
  });

  it('answers the contract to its own page', async () => {
    const posted: unknown[][] = [];
    const postMessage = (...given: unknown[]) => posted.push(given);
    ipcMain.emit('parlance:connect', {
      senderFrame: { url: 'parlance://app/index.html', parent: null, postMessage },
    });
    expect(posted).toMatchObject([['parlance:port', null, [expect.any(FakePort)]]]);
  });

  it('comes to the front when it is started a second time', async () => {
    const focused = once(app, 'window-focused');
    app.emit('second-instance');
    await focused;
    expect(windows).toHaveLength(1);
  });

  it('closes in order: the database is whole before the process goes', async () => {
    const exited = once(app, 'exited');
    app.emit('window-all-closed');
    app.quit();
    await exited;
    expect(steps.filter((step) => step === 'exit 0')).toHaveLength(1);
    expect(existsSync(join(home, 'parlance.db-wal'))).toBe(false);
    expect(steps).not.toContain('process');
  });
});
