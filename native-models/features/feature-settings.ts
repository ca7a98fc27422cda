import { z } from 'zod';

/** Whisper's log-mel (Whisper, section 2.2). */
const whisperLogMelSchema = z.object({
  kind: z.literal('whisper-log-mel'),
  sampleRate: z.literal(16000),
  fftSize: z.literal(400),
  hop: z.literal(160),
  mels: z.union([z.literal(80), z.literal(128)]),
});

/** How sound becomes what an encoder reads; each kind is one file of this folder. */
export const featureSettingsSchema = z.discriminatedUnion('kind', [whisperLogMelSchema]);
export type FeatureSettings = z.infer<typeof featureSettingsSchema>;
export type WhisperLogMelSettings = z.infer<typeof whisperLogMelSchema>;
