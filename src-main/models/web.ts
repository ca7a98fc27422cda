import { getCACertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici';
import { ParlanceError } from '../contract/index.ts';

/** A host that does not even answer the call is given up after this, so that the next source gets its turn. */
const connectTimeoutMs = 5_000;
/** Silence in the middle of an answer. */
const silenceTimeoutMs = 30_000;

/**
 * The web as this machine reaches it: proxies from HTTPS_PROXY and NO_PROXY, the system's certificates. A host that
 * could not be reached is not called again while this stays open: each of its files would wait for the same.
 */
export interface Web {
  get(
    url: string,
    options: { headers?: Record<string, string>; signal?: AbortSignal | undefined },
  ): Promise<Response>;
  close(): Promise<void>;
}

/** A network that inspects traffic brings its certificate through the system's store or NODE_EXTRA_CA_CERTS. */
function certificates(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

function credentialsOf(url: URL): Record<string, string> {
  if (url.username === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

export function openWeb(): Web {
  const trust = { ca: certificates() };
  const dispatcher: Dispatcher = new EnvHttpProxyAgent({
    connect: { ...trust, timeout: connectTimeoutMs },
    requestTls: trust,
    headersTimeout: silenceTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
  });
  const unreachable = new Map<string, unknown>();
  return {
    async get(address, { headers = {}, signal }) {
      const url = new URL(address);
      if (unreachable.has(url.host)) throw unreachable.get(url.host);
      const credentials = credentialsOf(url);
      url.username = '';
      url.password = '';
      const answer = fetch(url, {
        dispatcher,
        // Bytes are counted, resumed and hashed as they are stored: nothing may be compressed on the way.
        headers: { 'accept-encoding': 'identity', ...credentials, ...headers },
        ...(signal && { signal }),
      });
      try {
        return await answer;
      } catch (error) {
        if (isUnreachable(error)) unreachable.set(url.host, error);
        throw error;
      }
    },
    close: () => dispatcher.destroy(),
  };
}

/** An address that can be shown: without a password, a query or a fragment. */
export function shown(address: string): string {
  const url = new URL(address);
  return `${url.host}${url.pathname}`;
}

/** Why a request failed, in the network's own words. */
export function networkReason(error: unknown): string {
  // `fetch failed` says nothing; its cause does. Other errors' own words are the better ones.
  const cause = error instanceof TypeError ? error.cause : undefined;
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
  const told = inner instanceof Error ? inner : error;
  const code = (told as NodeJS.ErrnoException).code;
  const message = told instanceof Error ? told.message : String(told);
  const { hostname } = told as { hostname?: unknown };
  if (typeof hostname === 'string' && /ENOTFOUND|EAI_AGAIN/.test(code ?? ''))
    return `the name ${hostname} cannot be looked up (${code})`;
  return code && !message.includes(code) ? `${message} (${code})` : message;
}

/** A name that does not resolve, a host that takes no calls or that cannot prove who it is. */
export function isUnreachable(error: unknown): boolean {
  const reason = networkReason(error);
  return /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|CONNECT_TIMEOUT|CERT|certificate/i.test(
    reason,
  );
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new ParlanceError(
      'cancelled',
      'The download was stopped.',
      'Start it again: it goes on from there.',
    );
}
