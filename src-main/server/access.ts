import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Addresses that were printed and not opened yet; the oldest is forgotten beyond this. */
const maxOpenTokens = 16;

const secret = () => randomBytes(32).toString('base64url');
const digest = (value: string) => createHash('sha256').update(value).digest();

/** Compares without telling by its duration how much of the value was right. */
function sameSecret(given: string, expected: Buffer): boolean {
  return timingSafeEqual(digest(given), expected);
}

/** Who may use the server: whoever holds a session, which is bought once with a token that was printed. */
export interface Access {
  newToken(): string;
  /** The new session's cookie value; null when the token was never given out, or was used before. */
  redeem(token: string): string | null;
  isSession(cookie: string): boolean;
  /** Whether this is the key that a second start read from the instance file. */
  isInstanceKey(key: string): boolean;
}

/** Keeps digests only, so that a memory dump holds no usable secret. */
export function createAccess(instanceKey: string): Access {
  const keyDigest = digest(instanceKey);
  let tokens: Buffer[] = [];
  const sessions: Buffer[] = [];
  return {
    newToken() {
      const token = secret();
      tokens = [...tokens, digest(token)].slice(-maxOpenTokens);
      return token;
    },
    redeem(token) {
      const known = tokens.find((expected) => sameSecret(token, expected));
      if (known === undefined) return null;
      tokens = tokens.filter((expected) => expected !== known);
      const session = secret();
      sessions.push(digest(session));
      return session;
    },
    isSession: (cookie) => sessions.some((expected) => sameSecret(cookie, expected)),
    isInstanceKey: (key) => sameSecret(key, keyDigest),
  };
}
