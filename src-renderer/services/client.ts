import type { AppEvent, RequestInput, RequestName, RequestOutput } from '../../src-main/contract/index.ts';
import { eventSchema, messageSchema, ParlanceError, requests } from '../../src-main/contract/index.ts';
import { messagePortTransport } from './message-port-transport.ts';
import type { ConnectionState, Transport } from './transport.ts';
import { webSocketTransport } from './web-socket-transport.ts';

/** Raised for calls that were under way, or made, while the connection was gone. */
export class ConnectionLost extends Error {
  constructor(options?: ErrorOptions) {
    super('Parlance is not reachable at the moment.', options);
    this.name = 'ConnectionLost';
  }
}

interface Waiting {
  method: RequestName;
  resolve(output: unknown): void;
  reject(reason: Error): void;
}

/** The contract, called as functions. Both directions are checked against its schemas. */
export interface Client {
  /** Rejects with ParlanceError when the main process refuses, and with ConnectionLost when it is gone. */
  call<N extends RequestName>(method: N, input: RequestInput<N>): Promise<RequestOutput<N>>;
  onEvent(listener: (event: AppEvent) => void): void;
  onState(listener: (state: ConnectionState) => void): void;
}

function createClient(transport: Transport): Client {
  const waiting = new Map<number, Waiting>();
  const eventListeners: Array<(event: AppEvent) => void> = [];
  let nextId = 0;
  /** A question asked in the first moment of a page waits for the connection that is being opened. */
  let settled = false;
  const settling = new Promise<void>((resolve) => {
    transport.onState((state) => {
      if (state === 'connecting') return;
      settled = true;
      resolve();
    });
  });

  transport.onMessage((received) => {
    const event = eventSchema.safeParse(received);
    if (event.success) {
      for (const listener of eventListeners) listener(event.data);
      return;
    }
    const message = messageSchema.parse(received);
    if ('event' in message) return;
    const caller = waiting.get(message.id);
    if (!caller) return;
    waiting.delete(message.id);
    if ('failure' in message) {
      caller.reject(ParlanceError.from(message.failure));
      return;
    }
    const output = requests[caller.method].output.safeParse(message.output);
    if (output.success) caller.resolve(output.data);
    else caller.reject(new Error(`${caller.method} answered unexpectedly: ${output.error.message}`));
  });
  transport.onState((state) => {
    if (state !== 'lost') return;
    for (const caller of waiting.values()) caller.reject(new ConnectionLost());
    waiting.clear();
  });

  return {
    call<N extends RequestName>(method: N, input: RequestInput<N>) {
      return new Promise<RequestOutput<N>>((resolve, reject) => {
        const id = nextId++;
        const checked = requests[method].input.parse(input);
        waiting.set(id, { method, resolve: (output) => resolve(output as RequestOutput<N>), reject });
        const send = () => {
          try {
            transport.send({ id, method, input: checked });
          } catch (thrown) {
            if (!settled) {
              void settling.then(send);
              return;
            }
            waiting.delete(id);
            reject(new ConnectionLost({ cause: thrown }));
          }
        };
        send();
      });
    },
    onEvent: (listener) => void eventListeners.push(listener),
    onState: (listener) => transport.onState(listener),
  };
}

function defaultTransport(): Transport {
  if (window.parlance) return messagePortTransport();
  const { protocol, host } = window.location;
  return webSocketTransport(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rpc`);
}

export const client = createClient(defaultTransport());
