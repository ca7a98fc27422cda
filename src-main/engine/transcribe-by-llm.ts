import type { Segment, TranscribeRequest } from '../contract/engine.ts';
import { ParlanceError } from '../contract/errors.ts';
import type { AnsweringModel } from './answering-model.ts';
import { newConversation } from './caches/kept-conversations.ts';
import { generate } from './generation.ts';
import { positionsOf } from './prompt/sequence.ts';
import { frameLevelDb } from './sound/loudness.ts';
import { sampleRate } from './sound/wav.ts';
import type { HearingModel } from './speech-model.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Seconds; longer stretches would be segments without a time in them. */
export const longestSegment = 30;

export interface LlmTranscriptionParts {
  readonly model: AnsweringModel;
  readonly speech: HearingModel;
  /** The manifest's system prompt and task instructions. */
  readonly system: string;
  readonly tasks: Readonly<Record<string, string>>;
  /** Sequences that the bundle's answers are searched with. */
  readonly beams: number;
}

/**
 * The speech LLM writes down what it hears, one window after another, by the instruction its bundle was trained with. Throws
 * not-supported where the bundle has no such task.
 */
export async function transcribeByLlm(
  parts: LlmTranscriptionParts,
  samples: Float32Array,
  { task }: Pick<TranscribeRequest, 'task'>,
  on: { segment?(segment: Segment): void },
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Segment[]> {
  const instruction = parts.tasks[task];
  if (instruction === undefined) throw notTrained(task);
  const segments: Segment[] = [];
  let start = 0;
  for (const window of parts.speech.windows(samples, longestSegment)) {
    const end = start + window.length / sampleRate;
    const text = await transcribeWindow(parts, instruction, window, watch, signal);
    if (text !== '') {
      segments.push({ start, end, text });
      on.segment?.({ start, end, text });
    }
    start = end;
  }
  return segments;
}

async function transcribeWindow(
  { model, speech, system, beams }: LlmTranscriptionParts,
  instruction: string,
  window: Float32Array,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<string> {
  if (frameLevelDb(window, 0, window.length) < -70) return '';
  const clip = await speech.encode(window, watch, signal);
  if (clip.positions === 0) return '';
  const { units } = model.prompts.build([
    ...(system === '' ? [] : [{ role: 'system' as const, content: [system] }]),
    { role: 'user', content: speech.content(clip.hash, clip.positions, instruction) },
  ]);
  const room = model.part.contextLength - positionsOf(units);
  if (room < 1) throw contextTooSmall(model.part.contextLength);
  const kept = newConversation(
    'transcription',
    speech.name,
    model.decoder,
    model.decoder.form('', speech.loraScale),
  );
  try {
    const { text, finish } = await generate(
      model,
      kept,
      {
        units,
        vectors: new Map([[clip.hash, clip.vectors]]),
        loraScale: speech.loraScale,
        sampling: {
          maxTokens: mostTokens(clip.positions, window.length / sampleRate),
          ...{ temperature: 0, topP: 1, repetitionPenalty: 1, seed: 0 },
        },
        beams,
        room,
      },
      { token: () => undefined },
      watch,
      signal,
    );
    if (finish === 'cancelled') signal.throwIfAborted();
    return text.trim();
  } finally {
    kept.cache.dispose();
  }
}

/**
 * Written words take about as many tokens as the sound has vectors, where those follow the words; nobody speaks more than 25
 * tokens a second, and fast speakers need 8. Far more is a loop.
 */
function mostTokens(vectors: number, seconds: number): number {
  return Math.ceil(Math.min(25 * seconds, Math.max(2 * vectors, 8 * seconds))) + 16;
}

function contextTooSmall(contextLength: number): ParlanceError {
  return new ParlanceError(
    'audio-too-long',
    `Thirty seconds of sound do not fit into this bundle's context of ${contextLength} positions.`,
    'Use `--engine whisper`, or another bundle.',
  );
}

function notTrained(task: string): ParlanceError {
  return new ParlanceError(
    'not-supported',
    `This bundle's speech LLM was not trained to ${task}.`,
    'Use `--engine whisper`.',
  );
}
