import { once } from 'node:events';
import { pack, unpack } from 'msgpackr';
import { WebSocket } from 'ws';
import {
  type AppEvent,
  eventSchema,
  type Failure,
  ParlanceError,
  type RequestInput,
  type RequestName,
  type RequestOutput,
  requests,
} from '../../src-main/contract/index.ts';

interface Reply {
  id: number;
  output?: unknown;
  failure?: Failure;
}

/** The contract over the WebSocket, as the screen speaks it, without a screen. */
export class ContractClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve(output: unknown): void; reject(reason: Error): void }>();
  readonly #onEvent: (event: AppEvent) => void;
  #nextId = 0;

  private constructor(socket: WebSocket, onEvent: (event: AppEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.on('message', (data: Buffer) => this.#receive(unpack(data)));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The app is gone.'));
      this.#waiting.clear();
    });
    // A killed app resets the connection; `close` follows.
    socket.on('error', () => undefined);
  }

  /** Buys a session with the address's token, as a browser does. */
  static async connect(address: string, onEvent: (event: AppEvent) => void): Promise<ContractClient> {
    const bought = await fetch(address, { redirect: 'manual' });
    const cookie = bought.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    return ContractClient.connectWith(cookie, new URL(address).origin, onEvent);
  }

  /** Speaks in a session that was bought before. */
  static async connectWith(
    cookie: string,
    origin: string,
    onEvent: (event: AppEvent) => void,
  ): Promise<ContractClient> {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/rpc`, { origin, headers: { cookie } });
    await once(socket, 'open');
    return new ContractClient(socket, onEvent);
  }

  async call<N extends RequestName>(method: N, input: RequestInput<N>): Promise<RequestOutput<N>> {
    const id = this.#nextId++;
    const replied = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#socket.send(pack({ id, method, input }));
    return requests[method].output.parse(await replied) as RequestOutput<N>;
  }

  close() {
    this.#socket.close();
  }

  #receive(message: unknown) {
    const event = eventSchema.safeParse(message);
    if (event.success) {
      this.#onEvent(event.data);
      return;
    }
    const { id, output, failure } = message as Reply;
    const caller = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failure) caller?.reject(ParlanceError.from(failure));
    else caller?.resolve(output);
  }
}
