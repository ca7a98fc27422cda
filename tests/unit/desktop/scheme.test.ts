import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const registered: unknown[] = [];
vi.mock('electron', () => ({
  protocol: { registerSchemesAsPrivileged: (schemes: unknown[]) => registered.push(...schemes) },
}));
const { registerAppScheme, respond, serveScreen } = await import('../../../src-main/desktop/scheme.ts');
const { contentSecurityPolicy } = await import('../../../src-main/app/content-security-policy.ts');
const { FakeSession } = await import('./fake-electron.ts');

let top: string;
let folder: string;
const get = (path: string, method = 'GET') =>
  respond(new Request(`parlance://app${path}`, { method }), folder, contentSecurityPolicy());

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'parlance-scheme-'));
  folder = join(top, 'renderer');
  await mkdir(join(folder, 'assets'), { recursive: true });
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Parlance</title>');
  await writeFile(join(folder, 'assets', 'main.js'), 'export {};');
  await writeFile(join(folder, 'assets', 'notes.md'), '# notes');
  await writeFile(join(top, 'secret.txt'), 'secret');
  await symlink(join(top, 'secret.txt'), join(folder, 'linked.txt'));
});
afterAll(() => rm(top, { recursive: true }));

describe('parlance://app', () => {
  it('is a secure, standard scheme: the microphone needs that', () => {
    registerAppScheme();
    expect(registered).toMatchObject([{ scheme: 'parlance', privileges: { standard: true, secure: true } }]);
    expect(registered[0]).not.toHaveProperty('privileges.bypassCSP');
  });

  it('serves the built screen with the types that browsers insist on', async () => {
    const page = await get('/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toContain('Parlance');
    expect((await get('/assets/main.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect((await get('/assets/notes.md')).headers.get('content-type')).toBe('application/octet-stream');
  });

  it('puts every answer, refusals too, under the content security policy', async () => {
    for (const path of ['/', '/assets/main.js', '/missing']) {
      const { headers } = await get(path);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:|\*/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..%5csecret.txt',
    '//etc/passwd',
    '/%2fetc/passwd',
    '/linked.txt',
    '/index.html%00.js',
    '/%zz',
    '/assets',
  ])('serves nothing from outside its folder: %s', async (path) => {
    const reply = await get(path);
    expect(reply.status).toBe(404);
  });

  it('answers no other host and no other method', async () => {
    const other = new Request('parlance://other/index.html');
    expect((await respond(other, folder, contentSecurityPolicy())).status).toBe(403);
    expect((await get('/', 'POST')).status).toBe(403);
  });

  it('is handled by the session of the window', async () => {
    const session = new FakeSession();
    serveScreen(session.asSession, folder, contentSecurityPolicy());
    const reply = await session.handlers.get('parlance')?.(new Request('parlance://app/index.html'));
    expect(reply?.status).toBe(200);
  });
});
