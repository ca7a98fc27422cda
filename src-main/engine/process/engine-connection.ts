import { z } from 'zod';
import type { EngineReply, EngineRequest } from '../../contract/index.ts';
import { engineReplySchema, engineRequestSchema, ParlanceError } from '../../contract/index.ts';
import type { EngineProcess } from './engine-process-port.ts';
import { Heartbeat, type HeartbeatSettings } from './heartbeat.ts';

type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;
export type RequestBody = WithoutId<EngineRequest>;
export type ReplyTo = Extract<EngineReply, { id: number }>;
export type FinalReply = Extract<EngineReply, { type: 'done' | 'transcript' | 'scored' | 'spoken' | 'ok' }>;

export interface ConnectionListener {
  memory(bytes: number): void;
  log(event: Readonly<Record<string, string | number | boolean>>): void;
}

interface Waiting {
  onReply(reply: ReplyTo): void;
  resolve(reply: FinalReply): void;
  reject(error: ParlanceError): void;
}

const asYouWere = 'Your last question is kept. Try again.';

/** One life of the engine process: its requests in flight, its heart-beat and its end. */
export class EngineConnection {
  /** Resolves when the process says it is ready; rejects with engine-stopped when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves with one line that says how it ended. */
  readonly ended: Promise<string>;

  readonly #process: EngineProcess;
  readonly #heartbeat: Heartbeat;
  readonly #waiting = new Map<number, Waiting>();
  readonly #on: ConnectionListener;
  #lastId = 0;
  #alive = true;
  #fault: string | null = null;
  #markReady: () => void = () => {};

  constructor(process: EngineProcess, heartbeat: HeartbeatSettings, on: ConnectionListener) {
    this.#process = process;
    this.#on = on;
    this.#heartbeat = new Heartbeat(heartbeat, {
      beat: () => this.#send({ type: 'ping', id: this.#nextId() }),
      hung: () => this.kill('it did not answer any more'),
    });
    this.ended = new Promise((resolve) => {
      process.onExit((exit) => {
        this.#alive = false;
        this.#heartbeat.stop();
        const how = this.#fault ?? (exit.signal ? `signal ${exit.signal}` : `exit code ${exit.code}`);
        resolve(exit.lastWords === '' ? how : `${how}: ${exit.lastWords}`);
        this.#rejectAll();
      });
    });
    this.ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      void this.ended.then((how) =>
        reject(new ParlanceError('engine-stopped', `The engine could not be started (${how}).`, asYouWere)),
      );
    });
    // Whoever waits for it sees the rejection; nobody may be waiting while it restarts by itself.
    this.ready.catch(() => undefined);
    process.onMessage((message) => this.#receive(message));
  }

  get alive(): boolean {
    return this.#alive;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Sends a request. `onReply` gets what comes before its end (phase, token, segment).
   * Rejects with the engine's own failure, or engine-stopped when the process ends first.
   */
  request(
    body: RequestBody,
    onReply: (reply: ReplyTo) => void = () => {},
  ): { id: number; end: Promise<FinalReply> } {
    const id = this.#nextId();
    const end = new Promise<FinalReply>((resolve, reject) => {
      this.#waiting.set(id, { onReply, resolve, reject });
    });
    if (this.#alive) this.#send({ ...body, id });
    else this.#rejectAll();
    return { id, end };
  }

  /** Asks the engine to end a request; its reply still comes. */
  cancel(id: number): void {
    this.#send({ type: 'cancel', id });
  }

  kill(why: string): void {
    this.#fault ??= why;
    this.#process.kill();
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #send(request: unknown): void {
    if (this.#alive) this.#process.send(engineRequestSchema.parse(request));
  }

  #receive(message: unknown): void {
    this.#heartbeat.heard();
    const parsed = engineReplySchema.safeParse(message);
    if (!parsed.success) {
      this.kill(`its message could not be understood: ${z.prettifyError(parsed.error)}`);
      return;
    }
    const reply = parsed.data;
    if (reply.type === 'ready') {
      this.#markReady();
      return;
    }
    if (reply.type === 'pong') {
      this.#on.memory(reply.memoryBytes);
      return;
    }
    if (reply.type === 'log') {
      this.#on.log(reply.event);
      return;
    }
    this.#settle(reply);
  }

  #settle(reply: ReplyTo): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    if (reply.type === 'error') {
      this.#waiting.delete(reply.id);
      waiting.reject(ParlanceError.from(reply.failure));
    } else if (isFinal(reply)) {
      this.#waiting.delete(reply.id);
      waiting.resolve(reply);
    } else {
      waiting.onReply(reply);
    }
  }

  #rejectAll(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.reject(
        new ParlanceError('engine-stopped', 'The engine stopped and is running again.', asYouWere),
      );
    }
    this.#waiting.clear();
  }
}

function isFinal(reply: ReplyTo): reply is FinalReply {
  const finals: readonly string[] = ['done', 'transcript', 'scored', 'spoken', 'ok'] satisfies Array<
    FinalReply['type']
  >;
  return finals.includes(reply.type);
}
