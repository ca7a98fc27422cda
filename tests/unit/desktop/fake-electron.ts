import { EventEmitter } from 'node:events';
import type { Session, WebContents } from 'electron';

type PermissionRequest = Parameters<NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>>;
type PermissionCheck = Parameters<NonNullable<Parameters<Session['setPermissionCheckHandler']>[0]>>;

type RequestHandler = (...given: PermissionRequest) => void;
type CheckHandler = (...given: PermissionCheck) => boolean;
type BeforeRequest = (request: { url: string }, answer: (given: { cancel?: boolean }) => void) => void;

/** Electron's session as far as the app sets it up: it keeps what it is given, and asks it as Chromium would. */
export class FakeSession {
  #request: RequestHandler | null = null;
  #check: CheckHandler | null = null;
  #beforeRequest: BeforeRequest | null = null;
  spellChecker: boolean | null = null;
  spellCheckerLanguages: string[] | null = null;
  handlers = new Map<string, (request: Request) => Promise<Response>>();
  deviceAllowed = true;
  displayMedia: unknown = 'unasked';

  readonly webRequest = {
    onBeforeRequest: (handler: BeforeRequest) => {
      this.#beforeRequest = handler;
    },
  };
  readonly protocol = {
    handle: (scheme: string, handler: (request: Request) => Promise<Response>) => {
      this.handlers.set(scheme, handler);
    },
  };
  setPermissionRequestHandler = (handler: RequestHandler) => {
    this.#request = handler;
  };
  setPermissionCheckHandler = (handler: CheckHandler) => {
    this.#check = handler;
  };
  setDevicePermissionHandler = (handler: () => boolean) => {
    this.deviceAllowed = handler();
  };
  setDisplayMediaRequestHandler = (handler: (request: unknown, answer: (given: unknown) => void) => void) => {
    handler({}, (given) => {
      this.displayMedia = given;
    });
  };
  setSpellCheckerEnabled = (enabled: boolean) => {
    this.spellChecker = enabled;
  };
  setSpellCheckerLanguages = (languages: string[]) => {
    this.spellCheckerLanguages = languages;
  };

  /** A page asks for a permission. */
  asks(permission: string, details: object): Promise<boolean> {
    return new Promise((resolve) => {
      this.#request?.({} as WebContents, permission as never, resolve, details as never);
    });
  }
  /** Chromium looks whether a page has a permission. */
  checks(permission: string, origin: string, details: object): boolean {
    return this.#check?.({} as WebContents, permission as never, origin, details as never) ?? true;
  }
  /** Whether a request of the page, or of Chromium itself, would leave. */
  lets(url: string): boolean {
    let cancelled: boolean | undefined;
    this.#beforeRequest?.({ url }, ({ cancel }) => {
      cancelled = cancel;
    });
    return cancelled === false;
  }
  get asSession(): Session {
    return this as unknown as Session;
  }
}

/** A page's contents: it navigates when nobody prevents it. */
export class FakeContents extends EventEmitter {
  #windowOpen: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
  setWindowOpenHandler = (handler: (details: { url: string }) => { action: string }) => {
    this.#windowOpen = handler;
  };

  opens(url: string): string {
    return this.#windowOpen({ url }).action;
  }
  /** Whether `event` with these details goes through. */
  lets(event: string, details: object): boolean {
    let prevented = false;
    this.emit(event, {
      ...details,
      preventDefault: () => {
        prevented = true;
      },
    });
    return !prevented;
  }
}

/** One end of a port: what is posted on it is what the other side hears. */
export class FakePort extends EventEmitter {
  readonly posted: unknown[] = [];
  started = false;
  closed = false;
  postMessage(message: unknown): void {
    this.posted.push(message);
    this.emit('posted');
  }
  start(): void {
    this.started = true;
  }
  close(): void {
    this.closed = true;
    this.emit('close');
  }
}
