import { BrowserWindow } from 'electron';
import { appOrigin } from './own-origin.ts';

export interface MainWindowOptions {
  /** Path of the built preload script. */
  readonly preload: string;
  readonly dark: boolean;
}

/** Opens the one window. It is shown when there is something to see, so nobody looks at an empty frame. */
export async function openMainWindow({ preload, dark }: MainWindowOptions): Promise<BrowserWindow> {
  const window = new BrowserWindow({
    width: 1180,
    height: 800,
    minWidth: 720,
    minHeight: 480,
    show: false,
    title: 'Parlance',
    backgroundColor: dark ? '#16181d' : '#ffffff',
    autoHideMenuBar: true,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      // A recording goes on when another window covers ours.
      backgroundThrottling: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  await window.loadURL(`${appOrigin}/index.html`);
  return window;
}
