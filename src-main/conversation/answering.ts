import {
  type AnswerRequest,
  type AnswerResult,
  type AppEvent,
  type EnginePort,
  type Failure,
  type StorePort,
  type Turn,
  type TurnStatus,
  toFailure,
} from '../contract/index.ts';

/** Words reach the disk at the latest this long after the engine said them. */
const flushMs = 500;

export interface AnsweringPorts {
  readonly store: StorePort;
  readonly engine: EnginePort;
  readonly emit: (event: AppEvent) => void;
  readonly report?: (error: unknown) => void;
}

/** Runs once the answer's last state is stored, before those who wait for the answer go on. */
export type AfterAnswer = (answer: Turn, result: AnswerResult | null) => Promise<void>;

interface Running {
  readonly conversationId: string;
  readonly controller: AbortController;
  readonly finished: Promise<Turn>;
}

/** Keeps the growing text of one answer on disk, one write at a time. */
function textKeeper(store: StorePort, answerId: string, onTrouble: (error: unknown) => void) {
  let text = '';
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function flush(): void {
    timer = null;
    writing = writing.then(async () => {
      try {
        await store.updateTurn(answerId, { text });
      } catch (error) {
        onTrouble(error);
      }
    });
  }

  return {
    text: () => text,
    add(piece: string): void {
      text += piece;
      timer ??= setTimeout(flush, flushMs);
    },
    /** Resolves when no write is under way or will come. */
    async end(): Promise<void> {
      if (timer !== null) clearTimeout(timer);
      await writing;
    },
  };
}

/** How an answer ended that the engine did not finish. What was written of it is kept in every case. */
function endOf(failure: Failure, aborted: boolean): { status: TurnStatus; failure: Failure | null } {
  if (aborted || failure.code === 'cancelled') return { status: 'stopped', failure: null };
  return { status: failure.code === 'engine-stopped' ? 'interrupted' : 'failed', failure };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

/** Runs answers: tokens out at once, words to the store, and every way an answer can end as a status of its turn. */
export function createAnswering({ store, engine, emit, report = warn }: AnsweringPorts) {
  const running = new Map<string, Running>();

  /** Stores the last state; when even that cannot be stored, the screen is told and the process goes on. */
  async function conclude(answer: Turn, change: Partial<Turn>): Promise<Turn> {
    const text = change.text ?? answer.text;
    try {
      return await store.updateTurn(answer.id, change);
    } catch (error) {
      return { ...answer, ...change, text, status: 'failed', failure: toFailure(error) };
    }
  }

  async function run(
    answer: Turn,
    request: () => Promise<AnswerRequest>,
    controller: AbortController,
    after: AfterAnswer,
  ): Promise<Turn> {
    let trouble: unknown = null;
    const keeper = textKeeper(store, answer.id, (error) => {
      trouble ??= error;
      controller.abort();
    });
    const on = {
      token(text: string): void {
        emit({ event: 'turn.token', turnId: answer.id, length: keeper.text().length, text });
        keeper.add(text);
      },
      phase: (phase: 'loading' | 'hearing' | 'thinking' | 'writing') =>
        emit({ event: 'turn.phase', turnId: answer.id, phase }),
    };
    let result: AnswerResult | null = null;
    let change: Partial<Turn>;
    let asked: AnswerRequest | null = null;
    try {
      asked = await request();
      controller.signal.throwIfAborted();
      result = await engine.answer(asked, on, controller.signal);
      const { text, engine: used, provider, usage, timings, finish } = result;
      const status = finish === 'cancelled' ? 'stopped' : 'complete';
      change = { text, engine: used, provider, usage, timings, status, failure: null };
    } catch (error) {
      change = {
        text: keeper.text(),
        engine: asked?.engine ?? null,
        ...endOf(toFailure(error), controller.signal.aborted),
      };
    }
    await keeper.end();
    if (trouble !== null) change = { ...change, status: 'failed', failure: toFailure(trouble) };
    const ended = await conclude(answer, change);
    emit({ event: 'turn.updated', turn: ended });
    try {
      await after(ended, result);
    } catch (error) {
      report(error);
    }
    running.delete(answer.id);
    return ended;
  }

  return {
    /** Starts writing `answer` (already stored as `streaming`). `request` may reject: the answer then fails with it. */
    start(answer: Turn, request: () => Promise<AnswerRequest>, after: AfterAnswer): void {
      const controller = new AbortController();
      const finished = run(answer, request, controller, after);
      running.set(answer.id, { conversationId: answer.conversationId, controller, finished });
    },

    /** Ends an answer within one token; resolves when its turn says so. Nothing to do when it had ended. */
    async stop(answerId: string): Promise<void> {
      const answer = running.get(answerId);
      answer?.controller.abort();
      await answer?.finished;
    },

    /** The same for all answers of a conversation, or for all there are. */
    async stopAll(conversationId?: string): Promise<void> {
      const chosen = [...running.values()].filter(
        (answer) => conversationId === undefined || answer.conversationId === conversationId,
      );
      for (const { controller } of chosen) controller.abort();
      await Promise.all(chosen.map(({ finished }) => finished));
    },

    /** The answer as it ended. */
    finished: (answerId: string): Promise<Turn> => running.get(answerId)?.finished ?? store.turn(answerId),
  };
}
export type Answering = ReturnType<typeof createAnswering>;
