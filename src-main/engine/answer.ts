import type { Provider } from '../contract/conversation.ts';
import type { AnswerRequest, AnswerResult } from '../contract/engine.ts';
import type { AnsweringModel } from './answering-model.ts';
import { type KeptConversation, type KeptConversations, keepAnswer } from './caches/kept-conversations.ts';
import { generate } from './generation.ts';
import type { Generation } from './generation-request.ts';
import type { AnswerListener } from './listeners.ts';
import { type PreparedPrompt, preparePrompt } from './prompt/prepare-prompt.ts';
import type { SpeechModel } from './speech-model.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface AnswerParts {
  readonly model: AnsweringModel;
  readonly speech: SpeechModel;
  readonly conversations: KeptConversations;
  /** SHA-256 of bundle.json. */
  readonly bundle: string;
  readonly provider: Provider;
  /** The bundle's system prompt, for a conversation that brings none. */
  readonly system: string;
  /** Sequences that the bundle's answers are searched with at temperature 0. */
  readonly beams: number;
}

/** Answers the last turn of a conversation. Throws ParlanceError; aborted, it gives what it has. */
export async function answerTurn(
  parts: AnswerParts,
  request: AnswerRequest,
  on: AnswerListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<AnswerResult> {
  const { model, speech, conversations } = parts;
  const form = model.decoder.form(parts.bundle, speech.loraScale);
  const kept = await conversations.take(request.conversationId, speech.name, form);
  let prompt: PreparedPrompt;
  try {
    on.phase?.('hearing');
    const preparation = { model, speech, answers: kept.answers, watch, signal };
    prompt = await preparePrompt(preparation, request, parts.system);
  } catch (error) {
    if (signal.aborted) return cancelledAnswer(speech.name, parts.provider, watch);
    throw error;
  }
  on.phase?.('thinking');
  const generation = await generateOrDrop(parts, kept, request, prompt, on, watch, signal);
  keepAnswer(kept, generation.text, generation.tokens);
  return {
    text: generation.text,
    engine: speech.name,
    provider: parts.provider,
    heardAs: prompt.heardAs,
    finish: generation.finish,
    usage: {
      promptTokens: prompt.positions,
      cachedTokens: generation.cachedPositions,
      audioTokens: prompt.audioTokens,
      completionTokens: generation.tokens.length,
    },
    timings: watch.timings(Math.max(0, generation.tokens.length - 1)),
  };
}

/** The result of a request that was stopped before the model was asked. */
export function cancelledAnswer(
  engine: AnswerResult['engine'],
  provider: Provider,
  watch: Stopwatch,
): AnswerResult {
  return {
    text: '',
    engine,
    provider,
    heardAs: null,
    finish: 'cancelled',
    usage: { promptTokens: 0, cachedTokens: 0, audioTokens: 0, completionTokens: 0 },
    timings: watch.timings(0),
  };
}

async function generateOrDrop(
  { model, speech, conversations, beams }: AnswerParts,
  kept: KeptConversation,
  { sampling }: AnswerRequest,
  { units, vectors, room }: PreparedPrompt,
  on: AnswerListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Generation> {
  try {
    return await generate(
      model,
      kept,
      { units, vectors, loraScale: speech.loraScale, sampling, beams, room },
      { begin: () => on.phase?.('writing'), token: (text) => on.token(text) },
      watch,
      signal,
    );
  } catch (error) {
    // A run that failed half-way may have left the cache in doubt.
    conversations.drop(kept);
    throw error;
  }
}
