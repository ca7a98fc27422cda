import { randomUUID } from 'node:crypto';
import {
  type AnswerRequest,
  type AudioClip,
  type Conversation,
  ParlanceError,
  samplingSchema,
  type Turn,
} from '../contract/index.ts';
import type { Answering } from './answering.ts';
import { withAttachments } from './attachments.ts';
import { shownBranch } from './branches.ts';
import { requireAudible, requireSound, requireText } from './checks.ts';
import { modeOf, systemTurns } from './modes.ts';
import { oneAtATime } from './one-at-a-time.ts';
import type { AskOptions, ConversationPorts, RetryOptions, Submitted, TypedQuestion } from './ports.ts';
import { promptTurns } from './prompt-turns.ts';
import { recall } from './recall.ts';
import { titleFrom, untitled } from './titles.ts';

type Asked = { kind: 'typed'; text: string } | { kind: 'spoken'; clip: AudioClip };

/** Everything of a turn that is not known when it is made. */
const blank = {
  text: '',
  heardAs: null,
  audio: null,
  engine: null,
  bundle: null,
  provider: null,
  usage: null,
  timings: null,
  failure: null,
} as const;

export interface AskingPorts extends ConversationPorts {
  readonly answering: Answering;
  readonly heardAs: (turnId: string) => Promise<Turn>;
  readonly retitle: (conversationId: string, words: string, known: readonly string[]) => Promise<void>;
  readonly announce: (conversationId: string) => Promise<Conversation>;
}

/** From a question to its answer's first state: sound on disk, then both turns in one transaction, then the engine. */
export function createAsking(ports: AskingPorts) {
  const { store, audio, spool, bundle, emit, answering, heardAs, retitle, announce } = ports;
  const sending = new Map<string, Promise<Submitted>>();
  const inTurn = oneAtATime();

  async function requestFor(question: Turn, answer: Turn, options: AskOptions): Promise<AnswerRequest> {
    if (question.audio !== null) requireAudible(question.audio);
    const { conversationId } = question;
    const [answers, settings, mode] = await Promise.all([
      bundle(),
      store.settings(),
      modeOf(store, conversationId),
    ]);
    const recalled =
      options.recall === true ? await recall({ store, emit, heardAs }, question, answer.id) : [];
    const turns = await promptTurns(question, await store.turns(conversationId), audio);
    const measured = settings.engine === 'measured' ? answers.preferredEngine : settings.engine;
    return {
      conversationId,
      engine: options.engine ?? mode?.engine ?? measured,
      bundle: answers.folder,
      device: options.device ?? settings.device,
      turns: [...systemTurns(mode, recalled, answers.system), ...turns],
      sampling: samplingSchema.parse({ ...answers.generation, ...options.sampling }),
    };
  }

  function startAnswer(question: Turn, answer: Turn, options: AskOptions): void {
    answering.start(
      answer,
      () => requestFor(question, answer, options),
      async (_ended, result) => {
        // What the CTC head heard is a guess good enough for a title; only Whisper's words are kept as heard.
        if (
          question.audio !== null &&
          result?.heardAs &&
          result.engine === 'cascade' &&
          question.heardAs === null
        ) {
          const heard = await store.updateTurn(question.id, { heardAs: result.heardAs });
          emit({ event: 'turn.updated', turn: heard });
        }
        await retitle(question.conversationId, result?.heardAs || result?.text || '', [untitled]);
        await announce(question.conversationId);
      },
    );
  }

  /** The id of the bundle that will answer. Why there is none is met again, and kept, when the answer is asked for. */
  async function bundleId(): Promise<string | null> {
    try {
      return (await bundle()).id;
    } catch {
      return null;
    }
  }

  async function begin(question: Turn, answer: Turn, options: AskOptions, made: Turn[]): Promise<Submitted> {
    for (const turn of made) emit({ event: 'turn.created', turn });
    startAnswer(question, answer, options);
    return { conversation: await announce(question.conversationId), question, answer };
  }

  async function submitNew(asked: Asked, options: AskOptions): Promise<Submitted> {
    const title = asked.kind === 'typed' ? titleFrom(asked.text) : null;
    const mode = options.modeId === undefined ? null : await store.mode(options.modeId);
    const { id } = await store.createConversation(title ?? untitled);
    if (mode !== null) await store.setMode(id, mode.id);
    await announce(id);
    return submit(id, asked, options);
  }

  /** One question is stored after the other: the second follows the first, it does not branch beside it. */
  function submitTo(conversationId: string | null, asked: Asked, options: AskOptions): Promise<Submitted> {
    if (conversationId === null) return submitNew(asked, { ...options, replaces: undefined });
    return inTurn(conversationId, () => submit(conversationId, asked, options));
  }

  async function submit(conversationId: string, asked: Asked, options: AskOptions): Promise<Submitted> {
    // A new question breaks off the answer that is still being written; what it had stays in the context.
    await answering.stopAll(conversationId);
    const parentId = await placeOf(conversationId, options.replaces);
    const questionId = randomUUID();
    const both = { ...blank, conversationId };
    const [question, answer] = await store.addTurns([
      {
        ...both,
        id: questionId,
        parentId,
        role: 'user',
        kind: asked.kind,
        text: asked.kind === 'typed' ? asked.text : '',
        audio: asked.kind === 'spoken' ? asked.clip : null,
        status: 'complete',
      },
      {
        ...both,
        id: randomUUID(),
        parentId: questionId,
        role: 'assistant',
        kind: 'typed',
        bundle: await bundleId(),
        status: 'streaming',
      },
    ]);
    if (question === undefined || answer === undefined) throw new Error('two turns in, two turns out');
    if (options.replaces !== undefined) await store.chooseTurn(answer.id);
    return begin(question, answer, options, [question, answer]);
  }

  /** What a new question follows: the end of the branch that is shown, or what the question followed that it replaces. */
  async function placeOf(conversationId: string, replaces: string | undefined): Promise<string | null> {
    if (replaces === undefined) return shownBranch(await store.turnTree(conversationId)).at(-1)?.id ?? null;
    const old = await store.turn(replaces);
    if (old.conversationId === conversationId && old.role === 'user') return old.parentId;
    throw new ParlanceError(
      'invalid-request',
      'replaces: this turn is no question of this conversation.',
      'Edit a question.',
    );
  }

  async function retry(old: Turn, { engine, ...options }: RetryOptions): Promise<Submitted> {
    if (old.role !== 'assistant' || old.parentId === null) {
      throw new ParlanceError('invalid-request', 'answerId: this turn is no answer.', 'Try an answer again.');
    }
    await answering.stopAll(old.conversationId);
    const question = await store.turn(old.parentId);
    const answer = await store.addTurn({
      ...blank,
      id: randomUUID(),
      conversationId: old.conversationId,
      parentId: question.id,
      role: 'assistant',
      kind: 'typed',
      bundle: await bundleId(),
      status: 'streaming',
    });
    await store.chooseTurn(answer.id);
    const other = old.engine === 'cascade' ? 'speech-llm' : 'cascade';
    return begin(question, answer, { ...options, engine: engine === 'other' ? other : engine }, [answer]);
  }

  /** A recording outlives the conversation that it was begun in: it then opens a new one. */
  async function conversationOrNull(id: string | null): Promise<string | null> {
    if (id === null) return null;
    try {
      return (await store.conversation(id)).id;
    } catch (error) {
      if (error instanceof ParlanceError && error.code === 'conversation-missing') return null;
      throw error;
    }
  }

  async function send(id: string, options: AskOptions): Promise<Submitted> {
    const { recording, samples } = await spool.read(id);
    requireSound(samples);
    const clip = await audio.put(samples);
    const known = await conversationOrNull(recording.conversationId);
    const submitted = await submitTo(known, { kind: 'spoken', clip }, options);
    await spool.discard(id);
    return submitted;
  }

  return {
    inTurn,

    async askText({ attachments = [], ...asked }: TypedQuestion): Promise<Submitted> {
      const text = requireText(withAttachments(asked.text, attachments));
      return submitTo(asked.conversationId, { kind: 'typed', text }, asked);
    },

    async askAudio(
      asked: { conversationId: string | null; samples: Float32Array } & AskOptions,
    ): Promise<Submitted> {
      requireSound(asked.samples);
      if (asked.conversationId !== null) await store.conversation(asked.conversationId);
      const clip = await audio.put(asked.samples);
      return submitTo(asked.conversationId, { kind: 'spoken', clip }, asked);
    },

    sendRecording({ id, ...options }: { id: string } & AskOptions): Promise<Submitted> {
      const submitted = sending.get(id) ?? send(id, options).finally(() => sending.delete(id));
      sending.set(id, submitted);
      return submitted;
    },

    async retry({ answerId, ...options }: { answerId: string } & RetryOptions): Promise<Submitted> {
      const old = await store.turn(answerId);
      return inTurn(old.conversationId, () => retry(old, options));
    },
  };
}
