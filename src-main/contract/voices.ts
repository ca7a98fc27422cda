import { z } from 'zod';

/** A voice pack as a person sees it: what `parlance models list` prints and a settings page shows. */
export const voicePackSummarySchema = z.object({
  id: z.string(),
  name: z.string(),
  summary: z.string(),
  licence: z.string(),
  downloadBytes: z.number().nonnegative(),
  installed: z.boolean(),
  /** Where it lies, or would lie. */
  folder: z.string(),
  defaultVoice: z.string(),
  voices: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      /** BCP 47. */
      language: z.string(),
      sex: z.enum(['woman', 'man']),
      /** The publisher's own, A to F; null where none was published. */
      grade: z.string().nullable(),
    }),
  ),
});
export type VoicePackSummary = z.infer<typeof voicePackSummarySchema>;
