import type { AppEvent, Message } from './rpc.ts';

/** The longest call that is read: a dropped file of 20 minutes at 48 kHz in stereo fits, bytes. */
export const maxCallBytes = 256 * 1024 * 1024;

/** What a transport (WebSocket, MessagePort) is given: the composition, seen as messages. */
export interface Endpoint {
  /**
   * Answers one call as it came off the wire. A call that cannot be answered because it has no number is refused
   * with ParlanceError `invalid-request`; every other failure is a message.
   */
  answer(received: unknown): Promise<Message>;
  /** Returns the function that ends the subscription. */
  onEvent(listener: (event: AppEvent) => void): () => void;
}
