import { z } from 'zod';

/** Whisper's log-mel (Whisper, section 2.2). */
const whisperLogMelSchema = z.object({
  kind: z.literal('whisper-log-mel'),
  sampleRate: z.literal(16000),
  fftSize: z.literal(400),
  hop: z.literal(160),
  mels: z.union([z.literal(80), z.literal(128)]),
});

/** Kaldi's filter bank: 25 ms every 10 ms, only whole frames. */
export const kaldiFbankSchema = z.object({
  kind: z.literal('kaldi-fbank'),
  sampleRate: z.literal(16000),
  mels: z.number().int().min(1).max(256),
  window: z.enum(['povey', 'hann', 'hamming']),
  /** What samples in −1…1 are multiplied by first: 32768 where the model was trained on 16-bit integers. */
  amplitude: z.number().positive().max(1e6),
  preemphasis: z.number().min(0).max(1),
  lowHertz: z.number().min(0).max(4000),
  highHertz: z.number().min(4001).max(8000),
  /** The encoder reads (logarithm − mean) / deviation. */
  mean: z.number().min(-1e3).max(1e3),
  deviation: z.number().positive().max(1e3),
});

/** NeMo's log-mel, as Parakeet reads it: each band of a clip made mean 0 and deviation 1. */
const nemoLogMelSchema = z.object({
  kind: z.literal('nemo-log-mel'),
  sampleRate: z.literal(16000),
  mels: z.number().int().min(1).max(256),
});

/** Granite Speech's log-mel: two frames on one another, `mels` being the bands of each. */
const stackedLogMelSchema = z.object({
  kind: z.literal('stacked-log-mel'),
  sampleRate: z.literal(16000),
  mels: z.number().int().min(1).max(256),
});

/** The log-mel of Universal Speech Models (Gemma 3n). */
const usmLogMelSchema = z.object({
  kind: z.literal('usm-log-mel'),
  sampleRate: z.literal(16000),
  mels: z.number().int().min(1).max(256),
  preemphasis: z.number().min(0).max(1),
  lowHertz: z.number().min(0).max(4000),
  highHertz: z.number().min(4001).max(8000),
  /** The least that a band is taken to hear. */
  floor: z.number().positive().max(1),
});

/** How sound becomes what an encoder reads; each kind is one file of this folder. */
export const featureSettingsSchema = z.discriminatedUnion('kind', [
  whisperLogMelSchema,
  kaldiFbankSchema,
  nemoLogMelSchema,
  stackedLogMelSchema,
  usmLogMelSchema,
]);
export type FeatureSettings = z.infer<typeof featureSettingsSchema>;
export type WhisperLogMelSettings = z.infer<typeof whisperLogMelSchema>;
export type KaldiFbankSettings = z.infer<typeof kaldiFbankSchema>;
export type NemoLogMelSettings = z.infer<typeof nemoLogMelSchema>;
export type StackedLogMelSettings = z.infer<typeof stackedLogMelSchema>;
export type UsmLogMelSettings = z.infer<typeof usmLogMelSchema>;
