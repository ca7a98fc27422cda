import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { get, instanceKey, type Running, sessionCookie, startEcho } from './browser.ts';

let running: Running;
let origin: string;

beforeEach(async () => {
  running = await startEcho();
  origin = `http://127.0.0.1:${running.server.port}`;
});
afterEach(() => running.close());

describe('the printed address', () => {
  it('is exchanged for a cookie that scripts cannot read and other sites cannot send, and leaves the address bar', async () => {
    const reply = await get(running.server.freshAddress());
    expect(reply.status).toBe(303);
    expect(reply.headers.location).toBe('/');
    const [cookie] = reply.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).not.toMatch(/Domain=/);
  });

  it('works once', async () => {
    const address = running.server.freshAddress();
    expect((await get(address)).status).toBe(303);
    const again = await get(address);
    expect(again.status).toBe(401);
    expect(again.headers['set-cookie']).toBeUndefined();
  });

  it('is no use when it was made up', async () => {
    expect((await get(`${origin}/?token=${'A'.repeat(43)}`)).status).toBe(401);
    expect((await get(`${origin}/?token=`)).status).toBe(401);
  });

  it('opened again by whoever has the cookie already leads to the screen', async () => {
    const address = running.server.freshAddress();
    const { headers } = await get(address);
    const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect((await get(address, { cookie })).headers.location).toBe('/');
  });
});

describe('the screen', () => {
  it('is served with the cookie, as often as it is reloaded, and in several tabs', async () => {
    const cookie = await sessionCookie(running.server);
    for (let tab = 0; tab < 3; tab++) {
      const page = await get(`${origin}/`, { cookie });
      expect(page.status).toBe(200);
      expect(page.body).toContain('Parlance');
      expect((await get(`${origin}/main.js`, { cookie })).status).toBe(200);
    }
  });

  it.each(['/', '/index.html', '/main.js', '/nothing'])('is not served without it: %s', async (path) => {
    expect((await get(`${origin}${path}`)).status).toBe(401);
    expect((await get(`${origin}${path}`, { cookie: 'parlance-session=guess' })).status).toBe(401);
  });

  it.each(['/../package.json', '/%2e%2e/package.json', '/..%5cpackage.json', '/%00', '//etc/passwd'])(
    'is all that is served: %s',
    async (path) => {
      const cookie = await sessionCookie(running.server);
      expect((await get(`${origin}${path}`, { cookie })).status).toBe(404);
    },
  );

  it('may load its own files and talk to its own server only', async () => {
    const cookie = await sessionCookie(running.server);
    const { headers } = await get(`${origin}/`, { cookie });
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${running.server.port};`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['cache-control']).toBe('no-store');
  });

  it('carries the same headers when it is refused', async () => {
    const { headers } = await get(`${origin}/`);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('a page of another site', () => {
  it.each(['evil.test', 'evil.test:80', '127.0.0.1', 'localhost', '[::1]'])(
    'that points its own name here is refused: Host %s',
    async (host) => {
      const cookie = await sessionCookie(running.server);
      expect((await get(`${origin}/`, { cookie, host })).status).toBe(403);
      expect((await get(running.server.freshAddress(), { host })).status).toBe(403);
    },
  );

  it.each(['http://evil.test', 'null', 'https://127.0.0.1'])(
    'that asks by itself is refused: Origin %s',
    async (foreign) => {
      const cookie = await sessionCookie(running.server);
      expect((await get(`${origin}/`, { cookie, origin: foreign })).status).toBe(403);
    },
  );
});

describe('a second start', () => {
  it('gets a fresh address with the key that only this person can read', async () => {
    const reply = await get(`${origin}/instance`, { authorization: `Bearer ${instanceKey}` }, 'POST');
    const { address } = JSON.parse(reply.body);
    expect((await get(address)).status).toBe(303);
  });

  it.each([{}, { authorization: 'Bearer guess' }, { authorization: instanceKey }])(
    'gets nothing without it',
    async (headers) => {
      expect((await get(`${origin}/instance`, headers as Record<string, string>, 'POST')).status).toBe(401);
    },
  );

  it('may not take a port that is taken', async () => {
    const { startServer } = await import('../../../src-main/server/server.ts');
    const taken = startServer({
      endpoint: { answer: () => Promise.reject(new Error('unused')), onEvent: () => () => undefined },
      rendererFolder: '.',
      contentSecurityPolicy: () => '',
      port: running.server.port,
      instanceKey,
    });
    await expect(taken).rejects.toMatchObject({ code: 'invalid-request' });
  });
});
