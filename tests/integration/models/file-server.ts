import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedFile {
  body: Uint8Array;
  etag?: string;
  /** Answers every request with the whole file. */
  ignoresRanges?: boolean;
  /** Breaks the connection after so many bytes of an answer, so many times, each time when it is time. */
  cut?: { afterBytes: number; times: number; when(): Promise<void> };
  status?: number;
  contentType?: string;
  /** Called before each piece is sent. */
  onPiece?(sentBytes: number): void | Promise<void>;
}

const piece = 64 * 1024;

/** A real HTTP server on loopback: serves ranges as a publisher does, and misbehaves as told. */
export class FileServer {
  readonly files = new Map<string, ServedFile>();
  readonly requests: Array<{ path: string; range: string | undefined }> = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FileServer> {
    const server = createServer((request, response) => {
      void files.#answer(request, response);
    });
    const files = new FileServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return files;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The range of each request, in their order. */
  ranges(): Array<string | undefined> {
    return this.requests.map(({ range }) => range);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    this.requests.push({ path, range: request.headers.range });
    const file = this.files.get(path);
    if (file === undefined || file.status !== undefined) {
      response.writeHead(file?.status ?? 404).end();
      return;
    }
    const start = this.#startOf(request, file);
    const headers = {
      'content-length': String(file.body.length - start),
      'content-type': file.contentType ?? 'application/octet-stream',
      ...(file.etag && { etag: file.etag }),
    };
    if (start > 0) {
      const range = `bytes ${start}-${file.body.length - 1}/${file.body.length}`;
      response.writeHead(206, { ...headers, 'content-range': range });
    } else response.writeHead(200, headers);
    await this.#send(file, start, response);
  }

  #startOf(request: IncomingMessage, file: ServedFile): number {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const changed = condition !== undefined && condition !== file.etag;
    return asked && !changed && !file.ignoresRanges ? Number(asked[1]) : 0;
  }

  async #send(file: ServedFile, start: number, response: ServerResponse): Promise<void> {
    const cut = file.cut && file.cut.times > 0 ? file.cut : null;
    if (cut) cut.times -= 1;
    for (let at = start; at < file.body.length; at += piece) {
      const end = Math.min(
        at + piece,
        file.body.length,
        start + (cut?.afterBytes ?? Number.POSITIVE_INFINITY),
      );
      await file.onPiece?.(at - start);
      await new Promise((resolve) => response.write(file.body.subarray(at, end), resolve));
      if (cut && end - start >= cut.afterBytes) {
        // A break takes back what the other side has not read yet.
        await cut.when();
        response.destroy();
        return;
      }
    }
    response.end();
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that no two offsets share for long. */
export function someBytes(count: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(count);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
