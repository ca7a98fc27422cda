import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openWeb } from '../../../src-main/models/web.ts';
import { FileServer, someBytes } from './file-server.ts';

/** A proxy that notes which hosts it was asked for, by tunnel or by forwarding. */
async function startProxy(to: FileServer): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(new URL(request.url ?? '').host);
    response.end(to.files.get(new URL(request.url ?? '').pathname)?.body);
  });
  proxy.on('connect', (request, client) => {
    asked.push(request.url ?? '');
    const upstream = connect(to.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { address: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

it('goes through the proxy that the environment names, and past it where it says so', async () => {
  const server = await FileServer.start();
  onTestFinished(() => server.stop());
  server.files.set('/weights', { body: someBytes(1000) });
  const proxy = await startProxy(server);
  vi.stubEnv('HTTP_PROXY', proxy.address);
  vi.stubEnv('http_proxy', proxy.address);
  vi.stubEnv('NO_PROXY', '127.0.0.1');
  vi.stubEnv('no_proxy', '127.0.0.1');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const web = openWeb();
  onTestFinished(() => web.close());
  const far = await web.get('http://publisher.test/weights', {});
  expect((await far.arrayBuffer()).byteLength).toBe(1000);
  expect(proxy.asked.join()).toContain('publisher.test');

  const near = await web.get(server.url('/weights'), {});
  expect((await near.arrayBuffer()).byteLength).toBe(1000);
  expect(proxy.asked).toHaveLength(1);
});
