import type { AnswerRequest, PromptTurn, Sampling } from '../../contract/engine.ts';
import { ParlanceError } from '../../contract/errors.ts';
import type { AnsweringModel } from '../answering-model.ts';
import { answerKey } from '../caches/kept-conversations.ts';
import { clipSeconds } from '../sound/clip-length.ts';
import type { Heard, SpeechModel } from '../speech-model.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { answerReserve, firstKeptTurn } from './context-window.ts';
import type { Prompt, PromptMessage } from './prompt.ts';
import { positionsOf, type Unit } from './sequence.ts';

export interface PreparedPrompt {
  readonly units: readonly Unit[];
  readonly positions: number;
  /** Vectors of every clip in it, by hash. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly audioTokens: number;
  /** The words heard in the turn to be answered; null when it was typed. */
  readonly heardAs: string | null;
  /** Tokens that fit behind it. */
  readonly room: number;
}

interface Preparation {
  readonly model: AnsweringModel;
  readonly speech: SpeechModel;
  /** Tokens of earlier answers as they were generated. */
  readonly answers: ReadonlyMap<string, readonly number[]>;
  readonly watch: Stopwatch;
  readonly signal: AbortSignal;
}

/** A turn in its final form; `heard` is null for a typed one. */
interface ReadyTurn {
  readonly message: PromptMessage;
  readonly heard: Heard | null;
}

/**
 * Makes a conversation into a prompt that leaves room for the answer: the oldest turns are left out when it outgrows the
 * context, the system prompt and the last turn never. Throws text-empty, text-too-long, audio-too-long, what `hear` throws,
 * and the signal's reason.
 */
export async function preparePrompt(
  preparation: Preparation,
  {
    turns,
    sampling,
  }: { readonly turns: AnswerRequest['turns']; readonly sampling: Pick<Sampling, 'maxTokens'> },
  system: string,
): Promise<PreparedPrompt> {
  const { model } = preparation;
  const { contextLength } = model.part;
  const limit = contextLength - answerReserve(sampling.maxTokens, contextLength);
  const opening = systemMessages(turns, system);
  const build = (messages: readonly PromptMessage[]) => model.prompts.build([...opening, ...messages]);

  const conversation = turns.filter((turn) => turn.role !== 'system');
  const asked = conversation.at(-1);
  if (asked === undefined || (asked.type === 'text' && asked.text.trim() === '')) throw nothingAsked();
  const room = limit - positionsOf(build([{ role: 'user', content: [] }]).units);
  const seconds = asked.type === 'audio' ? await checkLength(asked.path, room, preparation.speech) : 0;
  if (asked.type === 'text') checkText(asked.text, room, model);

  const estimates: PromptMessage[] = [];
  for (const turn of conversation) estimates.push(await estimate(turn, preparation));
  const first = firstKept(estimates, build(estimates), limit);
  const ready: ReadyTurn[] = [];
  for (const turn of conversation.slice(first))
    ready.push(await makeReady(turn, turn === asked, preparation));
  return prepared(ready, build, limit, contextLength, () => {
    const last = ready.at(-1);
    const size = positionsOf(build(last === undefined ? [] : [last.message]).units) - (limit - room);
    return asked.type === 'text' ? textTooLong(size, room) : audioTooLong(seconds, (seconds * room) / size);
  });
}

/** Leaves out more turns where an estimate of a clip was too small, and puts everything together. */
function prepared(
  ready: readonly ReadyTurn[],
  build: (messages: readonly PromptMessage[]) => Prompt,
  limit: number,
  contextLength: number,
  tooLongError: () => ParlanceError,
): PreparedPrompt {
  let kept = ready;
  let units = build(kept.map(({ message }) => message)).units;
  while (positionsOf(units) > limit) {
    const next = kept.findIndex(({ message }, index) => index > 0 && message.role === 'user');
    if (next === -1) throw tooLongError();
    kept = kept.slice(next);
    units = build(kept.map(({ message }) => message)).units;
  }
  const heard = kept.flatMap((turn) => turn.heard ?? []);
  const positions = positionsOf(units);
  return {
    units,
    positions,
    vectors: new Map(heard.flatMap(({ vectors }) => [...vectors])),
    audioTokens: heard.reduce((sum, { audioTokens }) => sum + audioTokens, 0),
    heardAs: kept.at(-1)?.heard?.heardAs ?? null,
    room: contextLength - positions,
  };
}

function systemMessages(turns: readonly PromptTurn[], system: string): PromptMessage[] {
  const own = turns.flatMap((turn) => (turn.type === 'text' && turn.role === 'system' ? turn.text : []));
  const text = own.length > 0 ? own.join('\n\n') : system;
  return text === '' ? [] : [{ role: 'system', content: [text] }];
}

/** The turn with a stand-in for sound, so that its size is known before anything is encoded. */
async function estimate(turn: PromptTurn, preparation: Preparation): Promise<PromptMessage> {
  if (turn.type === 'text') return typed(turn, preparation);
  return { role: 'user', content: await preparation.speech.outline(turn) };
}

async function makeReady(turn: PromptTurn, asked: boolean, preparation: Preparation): Promise<ReadyTurn> {
  if (turn.type === 'text') return { message: typed(turn, preparation), heard: null };
  const { speech, watch, signal } = preparation;
  const heard = await speech.hear(turn, asked, watch, signal);
  return { message: { role: 'user', content: heard.content }, heard };
}

/** An answer comes back with the very tokens that were generated, so that its keys and values can be used again. */
function typed(
  { role, text }: Extract<PromptTurn, { type: 'text' }>,
  { answers }: Preparation,
): PromptMessage {
  const generated = role === 'assistant' ? answers.get(answerKey(text)) : undefined;
  return { role, content: [generated ?? text] };
}

function firstKept(messages: readonly PromptMessage[], { sizes }: Prompt, limit: number): number {
  const openings = sizes.length - messages.length;
  const opening = sizes.slice(0, openings).reduce((sum, size) => sum + size, 0);
  const turns = messages.map(({ role }, index) => ({
    role: role === 'assistant' ? role : ('user' as const),
    positions: sizes[openings + index] ?? 0,
  }));
  return firstKeptTurn(turns, limit - opening);
}

function checkText(text: string, room: number, model: AnsweringModel): void {
  const tokens = model.tokens.encodePlain(text).length;
  if (tokens > room) throw textTooLong(tokens, room);
}

/** Refuses sound that might not fit before any time is spent on it; gives its seconds. */
async function checkLength(path: string, room: number, speech: SpeechModel): Promise<number> {
  const seconds = await clipSeconds(path);
  const fit = speech.fit(room);
  if (seconds > fit) throw audioTooLong(seconds, fit);
  return seconds;
}

function nothingAsked(): ParlanceError {
  return new ParlanceError('text-empty', 'There is no question in this turn.', 'Type or say one.');
}

function textTooLong(tokens: number, room: number): ParlanceError {
  return new ParlanceError(
    'text-too-long',
    `The text is ${tokens} tokens long; ${Math.max(0, room)} fit into the model's context beside the answer.`,
    'Shorten it, or send it in parts.',
  );
}

function audioTooLong(seconds: number, fit: number): ParlanceError {
  return new ParlanceError(
    'audio-too-long',
    `The recording is ${Math.round(seconds)} s long; ${Math.max(0, Math.floor(fit))} s are sure to fit into the model's context beside the answer.`,
    'Cut it into shorter parts, or write it down with `parlance transcribe`, which takes any length.',
  );
}
