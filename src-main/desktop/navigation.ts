import type { App, WebContents } from 'electron';
import { isOwnAddress } from './own-origin.ts';

/** The page stays where it is: it opens no window, follows no link out, embeds nothing. */
function stayInside(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-navigate', (event) => {
    if (!isOwnAddress(event.url)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !isOwnAddress(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

/** Applies to every page the app ever makes, whoever makes it. */
export function denyNavigation(app: App): void {
  app.on('web-contents-created', (_event, contents) => stayInside(contents));
}
