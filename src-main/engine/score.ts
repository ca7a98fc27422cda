import { setImmediate } from 'node:timers/promises';
import type { EngineName } from '../contract/conversation.ts';
import type { PromptTurn, Score, ScoreRequest } from '../contract/engine.ts';
import { ParlanceError } from '../contract/errors.ts';
import type { AnsweringModel } from './answering-model.ts';
import { newConversation } from './caches/kept-conversations.ts';
import { prefill } from './generation.ts';
import { klDivergence } from './kl-divergence.ts';
import type { LoadedBundle } from './loaded-bundle.ts';
import { logSumExp } from './log-sum-exp.ts';
import { preparePrompt } from './prompt/prepare-prompt.ts';
import type { SpeechModel } from './speech-model.ts';
import { Stopwatch } from './stopwatch.ts';

const noSound: ReadonlyMap<string, Float32Array> = new Map();

/**
 * How likely an answer is to a conversation, token by token, the answer itself being read and not written. The end of the
 * turn is not counted: references may have been cut. Throws what an answer throws, and `cancelled`.
 */
export async function scoreAnswer(
  bundle: LoadedBundle,
  request: ScoreRequest,
  signal: AbortSignal,
): Promise<Score> {
  const model = await bundle.languageModel();
  const tokens = model.tokens.encodePlain(request.answer);
  const expect = async (engine: EngineName, turns: PromptTurn[]) => {
    const speech = await bundle.speechModel(engine);
    return expectations(model, speech, bundle.manifest.prompt.system, turns, tokens, signal);
  };
  try {
    const logits = await expect(request.engine, request.turns);
    // The cascade is the LLM as published, and a conversation in words asks nothing of Whisper.
    const published = request.written === null ? null : await expect('cascade', request.written);
    return {
      logProbabilities: tokens.map((token, i) => logProbability(logits[i], token)),
      divergences: published?.map((row, i) => klDivergence(row, logits[i] ?? row)) ?? null,
      provider: bundle.provider,
    };
  } catch (error) {
    throw signal.aborted ? cancelled(error) : error;
  }
}

/** The logits [vocabulary] from which each token of the answer is chosen. */
async function expectations(
  model: AnsweringModel,
  speech: SpeechModel,
  system: string,
  turns: PromptTurn[],
  tokens: readonly number[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const { decoder } = model;
  const preparation = { model, speech, answers: new Map(), watch: new Stopwatch(), signal };
  const conversation = { turns, sampling: { maxTokens: tokens.length } };
  const { units, vectors, room } = await preparePrompt(preparation, conversation, system);
  if (tokens.length > room) throw tooLong(tokens.length, room);
  const { loraScale } = speech;
  const kept = newConversation('score', speech.name, decoder, decoder.form('', loraScale));
  try {
    const rows: Float32Array[] = [];
    let logits = await prefill(model, kept, units, { vectors, loraScale }, signal);
    for (const token of tokens) {
      signal.throwIfAborted();
      if (logits === null) break;
      // A session may use its output's memory again.
      rows.push(logits.slice());
      if (rows.length === tokens.length) break;
      logits = await decoder.run(kept.cache, await model.embed([token], noSound), loraScale);
      await setImmediate();
    }
    return rows;
  } finally {
    kept.cache.dispose();
  }
}

function logProbability(logits: Float32Array | undefined, token: number): number {
  return logits === undefined ? -Infinity : (logits[token] ?? -Infinity) - logSumExp(logits);
}

function tooLong(tokens: number, room: number): ParlanceError {
  return new ParlanceError(
    'text-too-long',
    `The answer to be measured is ${tokens} tokens long; ${Math.max(0, room)} fit behind its question.`,
    'Shorten it, or the turns before it.',
  );
}

function cancelled(cause: unknown): ParlanceError {
  return new ParlanceError('cancelled', 'The measurement was stopped.', 'Start it again when you like.', {
    cause,
  });
}
