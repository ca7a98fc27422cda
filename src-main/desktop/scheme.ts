import { readFile, realpath, stat } from 'node:fs/promises';
import { extname, isAbsolute, join, relative } from 'node:path';
import { protocol, type Session } from 'electron';
import { appScheme, isOwnAddress } from './own-origin.ts';

/** What Vite writes into `out/renderer`. Anything else is served as bytes that no browser runs. */
const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/** Has to run before the app is ready. `secure` makes the page a secure context, which the microphone needs. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: appScheme,
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    },
  ]);
}

/** The file an address names inside `folder`; null when it is not there, or not inside, links followed. */
async function containedFile(folder: string, address: string): Promise<string | null> {
  let path: string;
  try {
    path = decodeURIComponent(new URL(address).pathname);
  } catch {
    // An escape that is none, such as `%zz`: there is no such file.
    return null;
  }
  if (path.includes('\0') || path.includes('\\')) return null;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, path === '/' ? 'index.html' : path));
    const inside = relative(root, file);
    if (inside.startsWith('..') || isAbsolute(inside)) return null;
    return (await stat(file)).isFile() ? file : null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** Answers a request for `parlance://app/…` with a file of the built screen, under the content security policy. */
export async function respond(request: Request, folder: string, policy: string): Promise<Response> {
  const headers = {
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
  if (request.method !== 'GET' || !isOwnAddress(request.url)) {
    return new Response(null, { status: 403, headers });
  }
  const file = await containedFile(folder, request.url);
  if (file === null) return new Response('Not found.', { status: 404, headers });
  const type = contentTypes[extname(file)] ?? 'application/octet-stream';
  return new Response(new Uint8Array(await readFile(file)), {
    headers: { ...headers, 'Content-Type': type },
  });
}

export function serveScreen(session: Session, folder: string, policy: string): void {
  session.protocol.handle(appScheme, (request) => respond(request, folder, policy));
}
