/**
 * A page of another site can make a browser send requests here (its own name may even point to 127.0.0.1: DNS
 * rebinding). The Host it then sends is its own, and so is the Origin.
 */
export function isOwnHost(host: string | undefined, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

/** `origin` has to be that of the very host the request was sent to. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && host !== undefined && origin === `http://${host}`;
}

/** Cookies do not know ports: two homes running at once need two names. */
export function sessionCookieName(port: number): string {
  return `parlance-session-${port}`;
}
