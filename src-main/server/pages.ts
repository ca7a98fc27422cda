import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { secureHeaders } from 'hono/secure-headers';
import type { Access } from './access.ts';
import { isOwnHost, isOwnOrigin, sessionCookieName } from './request-checks.ts';

export interface PagesOptions {
  readonly access: Access;
  /** Known once the server listens. */
  readonly port: () => number;
  /** Folder of the built screen. */
  readonly rendererFolder: string;
  /** The policy for pages whose WebSocket is at this host. */
  readonly contentSecurityPolicy: (webSocketOrigin: string) => string;
  /** The address with a fresh token, for a second start. */
  readonly freshAddress: () => string;
}

/** Where a second start asks for a fresh address. */
export const instancePath = '/instance';

const refusal =
  'This address was used before, or belongs to an earlier start of Parlance.\n' +
  'Run `npm start` again: while Parlance runs, it prints a fresh address.\n';

/** HTTP side: headers and checks for every request, the token's exchange, the built screen for whoever has the cookie. */
export function createPages({
  access,
  port,
  rendererFolder,
  contentSecurityPolicy,
  freshAddress,
}: PagesOptions): Hono {
  const app = new Hono();
  const hasSession = (cookie: string | undefined) => cookie !== undefined && access.isSession(cookie);

  app.use(
    secureHeaders({
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      crossOriginResourcePolicy: 'same-origin',
      crossOriginOpenerPolicy: 'same-origin',
      // No TLS on the loopback address; the header would follow the host name to other programs' ports.
      strictTransportSecurity: false,
      permissionsPolicy: { microphone: ['self'], camera: [], geolocation: [], displayCapture: [], usb: [] },
    }),
  );
  app.use(async (context, next) => {
    const host = context.req.header('host');
    const origin = context.req.header('origin');
    const foreign = origin !== undefined && !isOwnOrigin(origin, host);
    context.header('Cache-Control', 'no-store');
    context.header('Content-Security-Policy', contentSecurityPolicy(`ws://127.0.0.1:${port()}`));
    if (!isOwnHost(host, port()) || foreign) return context.text('Not for this origin.\n', 403);
    context.header('Content-Security-Policy', contentSecurityPolicy(`ws://${host}`));
    return next();
  });

  app.post(instancePath, (context) => {
    const [scheme, key] = (context.req.header('authorization') ?? '').split(' ');
    const known = scheme === 'Bearer' && key !== undefined && access.isInstanceKey(key);
    return known ? context.json({ address: freshAddress() }) : context.text('Not for you.\n', 401);
  });
  app.get('/', async (context, next) => {
    const token = context.req.query('token');
    if (token === undefined) return next();
    const session = access.redeem(token);
    if (session !== null) {
      setCookie(context, sessionCookieName(port()), session, {
        httpOnly: true,
        sameSite: 'Strict',
        path: '/',
      });
    } else if (!hasSession(getCookie(context, sessionCookieName(port())))) {
      return context.text(refusal, 401);
    }
    return context.redirect('/', 303);
  });
  app.use(async (context, next) =>
    hasSession(getCookie(context, sessionCookieName(port()))) ? next() : context.text(refusal, 401),
  );
  app.get('*', serveStatic({ root: rendererFolder }));
  return app;
}
