import { setTimeout as delay } from 'node:timers/promises';
import type {
  AnswerRequest,
  AnswerResult,
  DevicePreference,
  EngineName,
  EnginePort,
  EngineStatus,
  Provider,
  Score,
  ScoreRequest,
  Segment,
  TranscribeRequest,
  Transcript,
} from '../../contract/index.ts';
import { ParlanceError, toFailure } from '../../contract/index.ts';
import type { SoundPiece, SpeakRequest, SpeechPort, Spoken } from '../../contract/speech.ts';
import { EngineConnection, type FinalReply, type ReplyTo, type RequestBody } from './engine-connection.ts';
import type { EngineProcess } from './engine-process-port.ts';
import { defaultHeartbeat } from './heartbeat.ts';
import { RequestQueue, unlessStopped } from './request-queue.ts';
import { defaultBackoff, RestartPolicy } from './restart-policy.ts';
import { StatusBoard } from './status-board.ts';
import { cannotStart, unexpected } from './supervisor-failures.ts';
import type { SupervisorOptions } from './supervisor-options.ts';

/** Stopping takes one token or one block of the encoder; an engine that needs longer than this will not stop by itself. */
const defaultCancelLimitMs = 20_000;

/** How long a process may take to write its kept keys and values before it is ended. */
const shutdownLimitMs = 10_000;

/**
 * The engine as the rest of the app sees it: starts the process at its first use, keeps one answer, one
 * transcription and one speech running at a time, and starts it again when it crashes or hangs. No request is sent twice, but for
 * one that a lost device refused before it wrote a word.
 */
export class EngineSupervisor implements EnginePort, SpeechPort {
  readonly #options: SupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #answers = new RequestQueue();
  readonly #transcriptions = new RequestQueue();
  readonly #speeches = new RequestQueue();
  readonly #board = new StatusBoard();
  readonly #running = new Map<object, Provider>();
  #closing = new AbortController();
  #connection: EngineConnection | null = null;
  #connecting: Promise<EngineConnection> | null = null;
  #starts = 0;
  #lastEnd = '';

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#policy = new RestartPolicy(options.backoff ?? defaultBackoff);
  }

  async answer(
    request: AnswerRequest,
    on: { token(text: string): void; phase?(phase: 'loading' | 'hearing' | 'thinking' | 'writing'): void },
    signal: AbortSignal,
  ): Promise<AnswerResult> {
    const onReply = (part: ReplyTo): void => {
      if (part.type === 'token') on.token(part.text);
      if (part.type === 'phase') on.phase?.(part.phase);
    };
    const body = (device: Provider): RequestBody => ({ type: 'answer', request: { ...request, device } });
    const reply = await this.#queued(this.#answers, request, body, onReply, signal);
    if (reply.type !== 'done') throw unexpected(reply);
    const { tokensPerSecond, firstTokenMs } = reply.result.timings;
    this.#board.update({ provider: reply.result.provider, tokensPerSecond, firstTokenMs });
    return reply.result;
  }

  async transcribe(
    request: TranscribeRequest,
    on: { segment?(segment: Segment): void },
    signal: AbortSignal,
  ): Promise<Transcript> {
    const onReply = (part: ReplyTo): void => {
      if (part.type === 'segment') on.segment?.(part.segment);
    };
    const body = (device: Provider): RequestBody => ({ type: 'transcribe', request: { ...request, device } });
    const reply = await this.#queued(this.#transcriptions, request, body, onReply, signal);
    if (reply.type !== 'transcript') throw unexpected(reply);
    this.#board.update({ provider: reply.transcript.provider });
    return reply.transcript;
  }

  async score(request: ScoreRequest, signal: AbortSignal): Promise<Score> {
    const body = (device: Provider): RequestBody => ({ type: 'score', request: { ...request, device } });
    const reply = await this.#queued(this.#answers, request, body, () => {}, signal);
    if (reply.type !== 'scored') throw unexpected(reply);
    this.#board.update({ provider: reply.score.provider });
    return reply.score;
  }

  async speak(
    request: SpeakRequest,
    on: { sound(piece: SoundPiece): void },
    signal: AbortSignal,
  ): Promise<Spoken> {
    const onReply = (part: ReplyTo): void => {
      if (part.type === 'sound' && !signal.aborted) on.sound(part.piece);
    };
    const body = (): RequestBody => ({ type: 'speak', request });
    const reply = await this.#queued(this.#speeches, { bundle: null, device: 'cpu' }, body, onReply, signal);
    if (reply.type !== 'spoken') throw unexpected(reply);
    return reply.spoken;
  }

  /** Loads a bundle ahead of its first question. Rejects as `answer` does. */
  async load(
    what: { bundle: string; device: DevicePreference; engine: EngineName },
    signal: AbortSignal,
  ): Promise<Provider | null> {
    const body = (device: Provider): RequestBody => ({ type: 'load', ...what, device });
    const reply = await this.#queued(this.#answers, what, body, () => {}, signal);
    if (reply.type !== 'ok') throw unexpected(reply);
    if (reply.provider !== null) this.#board.update({ provider: reply.provider });
    return reply.provider;
  }

  status(): EngineStatus {
    return this.#board.status;
  }

  onStatus(listener: (status: EngineStatus) => void): () => void {
    return this.#board.onStatus(listener);
  }

  /** The engine process's id while one runs, for diagnostics. */
  get pid(): number | null {
    return this.#connection?.pid ?? null;
  }

  async shutdown(): Promise<void> {
    const closing = this.#closing;
    closing.abort(
      new ParlanceError('cancelled', 'The engine was shut down.', 'Your question is kept. Ask it again.'),
    );
    const limit = setTimeout(() => this.#connection?.kill('it did not shut down in time'), shutdownLimitMs);
    try {
      // Requests in flight end as cancelled, with what they have; their replies come before the process ends.
      const queues = [this.#answers, this.#transcriptions, this.#speeches];
      await Promise.all(queues.map((queue) => queue.idle()));
      const connection = this.#connection;
      if (connection !== null) {
        // Ends with `ok` or with the process; either way the process's end is what is waited for.
        connection.request({ type: 'shutdown' }).end.catch(() => undefined);
        await connection.ended;
      }
    } finally {
      clearTimeout(limit);
    }
    this.#connection = null;
    this.#connecting = null;
    this.#closing = new AbortController();
    this.#board.update({ state: 'stopped', memoryBytes: null });
  }

  #queued(
    queue: RequestQueue,
    what: { bundle: string | null; device: DevicePreference },
    body: (device: Provider) => RequestBody,
    onReply: (reply: ReplyTo) => void,
    signal: AbortSignal,
  ): Promise<FinalReply> {
    const task = () => this.#run(what.bundle, what.device, body, onReply, signal);
    return queue.run(task, signal, this.#closing.signal);
  }

  /** @param bundle null for what needs none, which then leaves the status of the one in use as it is */
  async #run(
    bundle: string | null,
    preference: DevicePreference,
    body: (device: Provider) => RequestBody,
    onReply: (reply: ReplyTo) => void,
    signal: AbortSignal,
  ): Promise<FinalReply> {
    const provider = await unlessStopped(this.#provider(preference), signal, this.#closing.signal);
    const connection = await this.#connected(signal);
    let began = false;
    const run = {};
    this.#running.set(run, provider);
    this.#board.update({ state: 'busy', ...(bundle !== null && { bundle, provider }) });
    const { id, end } = connection.request(body(provider), (reply) => {
      if (reply.type !== 'phase') began = true;
      onReply(reply);
    });
    let limit: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      connection.cancel(id);
      const patience = this.#options.cancelLimitMs ?? defaultCancelLimitMs;
      limit ??= setTimeout(() => connection.kill('it did not stop when asked to'), patience);
    };
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    if (stop.aborted) cancel();
    stop.addEventListener('abort', cancel);
    try {
      const reply = await end;
      this.#policy.answered(provider);
      return reply;
    } catch (error) {
      const code = error instanceof ParlanceError ? error.code : null;
      if (code === 'engine-stopped' && !this.#policy.restartsByItself) throw this.#cannotStart(error);
      if (code !== 'device-unavailable' || began || preference !== 'auto' || provider === 'cpu') throw error;
      this.#policy.giveUp(provider, `was lost (${toFailure(error).message})`);
    } finally {
      clearTimeout(limit);
      stop.removeEventListener('abort', cancel);
      this.#running.delete(run);
      this.#board.update({
        ...(connection.alive && { state: this.#running.size > 0 ? 'busy' : 'ready' }),
        notice: this.#policy.notice,
      });
    }
    return this.#run(bundle, 'cpu', body, onReply, signal);
  }

  async #provider(preference: DevicePreference): Promise<Provider> {
    const wanted = preference === 'auto' ? await this.#options.chooseProvider() : preference;
    return this.#policy.trusts(wanted) ? wanted : 'cpu';
  }

  /** A process that is ready, started again as often as the policy allows. */
  async #connected(signal: AbortSignal): Promise<EngineConnection> {
    for (;;) {
      try {
        return await unlessStopped(this.#connect(), signal, this.#closing.signal);
      } catch (error) {
        if (signal.aborted || this.#closing.signal.aborted) throw error;
        if (!this.#policy.restartsByItself) throw this.#cannotStart(error);
      }
    }
  }

  #cannotStart(cause: unknown): ParlanceError {
    return cannotStart(this.#policy.crashesInARow, this.#lastEnd, cause);
  }

  #connect(): Promise<EngineConnection> {
    if (this.#connecting === null) {
      const attempt = this.#start();
      this.#connecting = attempt;
      attempt.catch(() => {
        if (this.#connecting === attempt) this.#connecting = null;
      });
    }
    return this.#connecting;
  }

  async #start(): Promise<EngineConnection> {
    if (this.#policy.delayMs > 0)
      await delay(this.#policy.delayMs, undefined, { signal: this.#closing.signal });
    const connection = new EngineConnection(
      this.#startProcess(),
      this.#options.heartbeat ?? defaultHeartbeat,
      {
        memory: (memoryBytes) => this.#board.update({ memoryBytes }),
        log: (event) => this.#options.log?.(event),
      },
    );
    this.#connection = connection;
    this.#starts += 1;
    this.#board.update({ state: 'starting', restarts: this.#starts - 1 });
    // Registered before any request is sent, so it still sees which provider was at work when the process ended.
    void connection.ended.then((how) => this.#ended(connection, how));
    await connection.ready;
    this.#board.update({ state: 'ready' });
    return connection;
  }

  /** The system may refuse another process (too many files, no memory): that counts as a crash as well. */
  #startProcess(): EngineProcess {
    try {
      return this.#options.start();
    } catch (error) {
      this.#lastEnd = toFailure(error).message;
      this.#policy.crashed(null);
      this.#board.update({ state: 'crashed' });
      throw error;
    }
  }

  #ended(connection: EngineConnection, how: string): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#connecting = null;
    if (this.#closing.signal.aborted) return;
    this.#lastEnd = how;
    this.#options.log?.({ event: 'engine-process-ended', how });
    // A device stops a process more often than the CPU, on which something else may have run beside it.
    const [provider = null] = [...this.#running.values()].sort((a) => (a === 'cpu' ? 1 : -1));
    this.#policy.crashed(provider);
    this.#board.update({ state: 'crashed', memoryBytes: null, notice: this.#policy.notice });
    // A failure to start shows as the state and rejects whoever asks; there is nobody else to tell.
    if (this.#policy.restartsByItself) this.#connect().catch(() => undefined);
  }
}
