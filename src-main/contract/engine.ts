import { z } from 'zod';
import {
  type EngineName,
  engineNameSchema,
  idSchema,
  type Provider,
  providerSchema,
  timingsSchema,
  usageSchema,
} from './conversation.ts';
import { failureSchema } from './errors.ts';
import { speakReplies, speakRequestSchema } from './speech.ts';

/** What `--device` takes: a provider by name, or the first that works. */
export const devicePreferenceSchema = z.union([z.literal('auto'), providerSchema]);
export type DevicePreference = z.infer<typeof devicePreferenceSchema>;

export const samplingSchema = z.object({
  maxTokens: z.number().int().min(1).max(8192).default(256),
  /** 0 is greedy. */
  temperature: z.number().min(0).max(2).default(0),
  topP: z.number().gt(0).max(1).default(1),
  /** Above 1 makes tokens that already stand in the answer less likely. */
  repetitionPenalty: z.number().min(1).max(2).default(1),
  seed: z.number().int().nonnegative().default(0),
});
export type Sampling = z.infer<typeof samplingSchema>;

/** One turn of the prompt. Sound is named by the path of its stored file (16 kHz mono 16-bit WAV) and its hash. */
const promptTurnSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), role: z.enum(['system', 'user', 'assistant']), text: z.string() }),
  z.object({
    type: z.literal('audio'),
    role: z.literal('user'),
    path: z.string(),
    sha256: z.string(),
    /** Words already recognised in an earlier turn, so the cascade need not hear it again. */
    transcript: z.string().nullable(),
  }),
]);
export type PromptTurn = z.infer<typeof promptTurnSchema>;

const answerRequestSchema = z.object({
  conversationId: idSchema,
  engine: engineNameSchema,
  /** Folder of the bundle. */
  bundle: z.string(),
  device: devicePreferenceSchema,
  /** Oldest first; the last one is answered. */
  turns: z.array(promptTurnSchema).min(1),
  sampling: samplingSchema,
});
export type AnswerRequest = z.infer<typeof answerRequestSchema>;

export const transcribeRequestSchema = z.object({
  bundle: z.string(),
  device: devicePreferenceSchema,
  path: z.string(),
  engine: z.enum(['whisper', 'speech-llm']).default('whisper'),
  /** ISO 639-1, or `auto`: Whisper's own language detection. */
  language: z.string().default('auto'),
  task: z.enum(['transcribe', 'translate']).default('transcribe'),
});
export type TranscribeRequest = z.infer<typeof transcribeRequestSchema>;

/** How likely an answer is to a conversation: for measuring, nothing is generated. */
export const scoreRequestSchema = z.object({
  engine: engineNameSchema,
  bundle: z.string(),
  device: devicePreferenceSchema,
  /** Oldest first; the answer is to the last one. */
  turns: z.array(promptTurnSchema).min(1),
  answer: z.string().min(1),
  /** The same conversation in words: the LLM as published reads it, and is what the divergence is measured from. */
  written: z.array(promptTurnSchema).min(1).nullable(),
});
export type ScoreRequest = z.infer<typeof scoreRequestSchema>;

const segmentSchema = z.object({
  /** Seconds from the start of the file. */
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  text: z.string(),
});
export type Segment = z.infer<typeof segmentSchema>;

const answerResultSchema = z.object({
  text: z.string(),
  engine: engineNameSchema,
  provider: providerSchema,
  /** Words recognised on the way (cascade) or by the CTC head (speech LLM); null for a typed question. */
  heardAs: z.string().nullable(),
  /** `length`: the token limit; `stop`: the model ended; `cancelled`: a person did. */
  finish: z.enum(['stop', 'length', 'cancelled']),
  usage: usageSchema,
  timings: timingsSchema,
});
export type AnswerResult = z.infer<typeof answerResultSchema>;

const scoreSchema = z.object({
  /** Natural logarithm of the probability of each of the answer's tokens, given all before it. */
  logProbabilities: z.array(z.number()),
  /**
   * Kullback-Leibler divergence (nats) at each token from what the LLM as published expects behind the written conversation;
   * null when none was given.
   */
  divergences: z.array(z.number()).nullable(),
  provider: providerSchema,
});
export type Score = z.infer<typeof scoreSchema>;

const transcriptSchema = z.object({
  text: z.string(),
  language: z.string(),
  segments: z.array(segmentSchema),
  seconds: z.number(),
  provider: providerSchema,
  timings: z.object({
    featuresMs: z.number(),
    encodeMs: z.number(),
    decodeMs: z.number(),
    realTimeFactor: z.number(),
  }),
});
export type Transcript = z.infer<typeof transcriptSchema>;

/** Main to engine. Every request has an id; its replies carry the same id. */
export const engineRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('answer'), id: z.number().int(), request: answerRequestSchema }),
  z.object({ type: z.literal('transcribe'), id: z.number().int(), request: transcribeRequestSchema }),
  z.object({ type: z.literal('score'), id: z.number().int(), request: scoreRequestSchema }),
  z.object({ type: z.literal('speak'), id: z.number().int(), request: speakRequestSchema }),
  /** Loads a bundle ahead of its first use. */
  z.object({
    type: z.literal('load'),
    id: z.number().int(),
    bundle: z.string(),
    device: devicePreferenceSchema,
    engine: engineNameSchema,
  }),
  z.object({ type: z.literal('cancel'), id: z.number().int() }),
  /** Writes kept keys and values to disk, frees the sessions and ends the process. */
  z.object({ type: z.literal('shutdown'), id: z.number().int() }),
  z.object({ type: z.literal('ping'), id: z.number().int() }),
]);
export type EngineRequest = z.infer<typeof engineRequestSchema>;

/** Engine to main. `done`, `transcript`, `scored`, `spoken`, `ok` and `error` end a request. */
export const engineReplySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), pid: z.number().int() }),
  z.object({
    type: z.literal('phase'),
    id: z.number().int(),
    phase: z.enum(['loading', 'hearing', 'thinking', 'writing']),
  }),
  z.object({ type: z.literal('token'), id: z.number().int(), text: z.string() }),
  z.object({ type: z.literal('done'), id: z.number().int(), result: answerResultSchema }),
  z.object({ type: z.literal('segment'), id: z.number().int(), segment: segmentSchema }),
  z.object({ type: z.literal('transcript'), id: z.number().int(), transcript: transcriptSchema }),
  z.object({ type: z.literal('scored'), id: z.number().int(), score: scoreSchema }),
  speakReplies.sound,
  speakReplies.spoken,
  z.object({ type: z.literal('ok'), id: z.number().int(), provider: providerSchema.nullable() }),
  z.object({ type: z.literal('error'), id: z.number().int(), failure: failureSchema }),
  /** Answer to a ping, with the resident memory of the engine process in bytes. */
  z.object({ type: z.literal('pong'), id: z.number().int(), memoryBytes: z.number().nonnegative() }),
  /** A line for the log: never what was said, asked or answered. */
  z.object({
    type: z.literal('log'),
    event: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
]);
export type EngineReply = z.infer<typeof engineReplySchema>;

/** What became of each execution provider when it was tried with a real step in a throwaway process. */
export const deviceReportSchema = z.object({
  provider: providerSchema,
  works: z.boolean(),
  /** Why it is not used: in the provider's own words, or that the CPU was measured faster; null for one that could be. */
  reason: z.string().nullable(),
  /** Milliseconds of one decoder-like step, measured; null when it failed. */
  stepMs: z.number().nullable(),
});
export type DeviceReport = z.infer<typeof deviceReportSchema>;

export const engineStatusSchema = z.object({
  state: z.enum(['stopped', 'starting', 'ready', 'busy', 'crashed']),
  bundle: z.string().nullable(),
  provider: providerSchema.nullable(),
  /** How often the engine process was started again since the app began. */
  restarts: z.number().int().nonnegative(),
  /** Last measured on this machine; null before the first answer. */
  tokensPerSecond: z.number().nullable(),
  firstTokenMs: z.number().nullable(),
  /** Resident memory of the engine process, bytes. */
  memoryBytes: z.number().nullable(),
  /** What a person should know about the device, such as a fall-back to the CPU and why; null when all is well. */
  notice: z.string().nullable(),
});
export type EngineStatus = z.infer<typeof engineStatusSchema>;

/** The port that conversation, dictation and translation use; the engine process's supervisor implements it. */
export interface EnginePort {
  /** Streams token texts; resolves with the result. Rejects with ParlanceError. Aborting ends within one token. */
  answer(
    request: AnswerRequest,
    on: { token(text: string): void; phase?(phase: 'loading' | 'hearing' | 'thinking' | 'writing'): void },
    signal: AbortSignal,
  ): Promise<AnswerResult>;
  transcribe(
    request: TranscribeRequest,
    on: { segment?(segment: Segment): void },
    signal: AbortSignal,
  ): Promise<Transcript>;
  /** How likely an answer is. Aborting rejects with `cancelled`. */
  score(request: ScoreRequest, signal: AbortSignal): Promise<Score>;
  /** Loads a bundle ahead of its first question; gives the provider. Rejects as `answer` does. */
  load(
    what: { bundle: string; device: DevicePreference; engine: EngineName },
    signal: AbortSignal,
  ): Promise<Provider | null>;
  status(): EngineStatus;
  onStatus(listener: (status: EngineStatus) => void): () => void;
  /** Ends the process in order: keys and values are kept for the next start. */
  shutdown(): Promise<void>;
}
