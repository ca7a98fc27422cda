import { z } from 'zod';
import { failureSchema } from './errors.ts';

export const idSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/);
export const engineNameSchema = z.enum(['speech-llm', 'cascade']);
export type EngineName = z.infer<typeof engineNameSchema>;

export const providerSchema = z.enum(['cuda', 'dml', 'coreml', 'webgpu', 'cpu']);
export type Provider = z.infer<typeof providerSchema>;

/** Counts of tokens. `cachedTokens` of `promptTokens` were not computed again. */
export const usageSchema = z.object({
  promptTokens: z.number().int().nonnegative(),
  cachedTokens: z.number().int().nonnegative(),
  audioTokens: z.number().int().nonnegative(),
  completionTokens: z.number().int().nonnegative(),
});
export type Usage = z.infer<typeof usageSchema>;

/** Milliseconds of each step. `firstTokenMs` runs from the request's arrival in the engine to the first token. */
export const timingsSchema = z.object({
  featuresMs: z.number().nonnegative(),
  encodeMs: z.number().nonnegative(),
  adaptMs: z.number().nonnegative(),
  /** Time of the Whisper decoder: zero for the speech LLM. */
  transcribeMs: z.number().nonnegative(),
  prefillMs: z.number().nonnegative(),
  firstTokenMs: z.number().nonnegative(),
  decodeMs: z.number().nonnegative(),
  tokensPerSecond: z.number().nonnegative(),
});
export type Timings = z.infer<typeof timingsSchema>;

const audioClipSchema = z.object({
  /** SHA-256 of the stored file: 16 kHz mono 16-bit WAV. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  seconds: z.number().nonnegative(),
  /** One loudness value in 0..1 for every 160 ms, for the waveform. */
  bars: z.array(z.number().min(0).max(1)),
});
export type AudioClip = z.infer<typeof audioClipSchema>;

/** `interrupted`: the engine or the app died while the answer was written; what it had is kept. */
const turnStatusSchema = z.enum(['complete', 'streaming', 'stopped', 'interrupted', 'failed']);
export type TurnStatus = z.infer<typeof turnStatusSchema>;

export const turnSchema = z.object({
  id: idSchema,
  conversationId: idSchema,
  /** The turn this one follows; turns form a tree, null at the root. */
  parentId: idSchema.nullable(),
  role: z.enum(['user', 'assistant']),
  kind: z.enum(['typed', 'spoken']),
  /** What was typed or answered; empty for a spoken turn. */
  text: z.string(),
  /** For reading only: what Whisper heard, or what the adaptor's CTC head heard. Null until someone asked for it. */
  heardAs: z.string().nullable(),
  audio: audioClipSchema.nullable(),
  status: turnStatusSchema,
  engine: engineNameSchema.nullable(),
  bundle: z.string().nullable(),
  provider: providerSchema.nullable(),
  usage: usageSchema.nullable(),
  timings: timingsSchema.nullable(),
  failure: failureSchema.nullable(),
  /** Milliseconds since 1970. */
  createdAt: z.number().int(),
});
export type Turn = z.infer<typeof turnSchema>;

/** A turn's place in the tree, without what it says. `chosen`: a person, or the newest question, chose it among its siblings. */
export const turnNodeSchema = turnSchema
  .pick({ id: true, parentId: true, role: true })
  .extend({ chosen: z.boolean() });
export type TurnNode = z.infer<typeof turnNodeSchema>;

export const conversationSchema = z.object({
  id: idSchema,
  title: z.string(),
  pinned: z.boolean(),
  /** True once a spoken turn is in it. */
  spoken: z.boolean(),
  /** The mode it is in. */
  modeId: idSchema.nullable(),
  turnCount: z.number().int().nonnegative(),
  createdAt: z.number().int(),
  updatedAt: z.number().int(),
});
export type Conversation = z.infer<typeof conversationSchema>;

/** A recording on disk that no turn owns yet: the app stopped before it was sent. */
export const recordingSchema = z.object({
  id: idSchema,
  conversationId: idSchema.nullable(),
  seconds: z.number().nonnegative(),
  startedAt: z.number().int(),
});
export type Recording = z.infer<typeof recordingSchema>;
