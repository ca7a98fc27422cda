import type { Session } from 'electron';
import { appScheme } from './own-origin.ts';

const localProtocols = new Set([`${appScheme}:`, 'blob:', 'data:', 'devtools:']);

/**
 * No request of the window leaves the machine: not the page's, and not Chromium's own (dictionaries, for one, are
 * fetched by the spell checker). The models' downloads are made by the main process.
 */
export function keepOffline(session: Session): void {
  session.setSpellCheckerEnabled(false);
  session.setSpellCheckerLanguages([]);
  session.webRequest.onBeforeRequest((request, answer) => {
    const protocol = URL.parse(request.url)?.protocol ?? '';
    answer({ cancel: !localProtocols.has(protocol) });
  });
}
