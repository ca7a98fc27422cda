/** `lost`: calls fail until the connection is `open` again; what the screen shows may be out of date by then. */
export type ConnectionState = 'connecting' | 'open' | 'lost';

/** Carries contract messages, as plain objects with `Uint8Array` inside, between this screen and the main process. */
export interface Transport {
  /** Throws when the connection is not open. */
  send(call: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onState(listener: (state: ConnectionState) => void): void;
}
