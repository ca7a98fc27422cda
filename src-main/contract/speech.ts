import { z } from 'zod';

/** Text to be spoken aloud by one voice of an installed voice pack. */
export const speakRequestSchema = z.object({
  /** Folder of the voice pack. */
  voices: z.string(),
  voice: z.string(),
  /** 1 is the voice's own pace. */
  speed: z.number().min(0.5).max(2).default(1),
  /** ISO 639-1; `auto` is the voice's own. A voice of another language speaks English in its own timbre. */
  language: z.string().default('auto'),
  /** May be Markdown. Empty: the voice is loaded ahead of its first words. */
  text: z.string(),
});
export type SpeakRequest = z.infer<typeof speakRequestSchema>;

const soundPieceSchema = z.object({
  /** Mono f32 in -1..1 at `speechSampleRate`; begins and ends at zero, so pieces can be played one after another. */
  samples: z.instanceof(Float32Array),
  /** The part of the text that is heard in it, in UTF-16 units: `text.slice(start, end)`. */
  start: z.number().int().nonnegative(),
  end: z.number().int().nonnegative(),
});
export type SoundPiece = z.infer<typeof soundPieceSchema>;

/** Samples a second of spoken replies. */
export const speechSampleRate = 24_000;

const spokenSchema = z.object({
  /** Seconds of sound. */
  seconds: z.number().nonnegative(),
  pieces: z.number().int().nonnegative(),
  /** Milliseconds. `firstSoundMs` runs from the request's arrival in the engine; null when there was nothing to say. */
  timings: z.object({
    loadMs: z.number().nonnegative(),
    firstSoundMs: z.number().nonnegative().nullable(),
    phonemesMs: z.number().nonnegative(),
    synthesisMs: z.number().nonnegative(),
  }),
});
export type Spoken = z.infer<typeof spokenSchema>;

/** What the engine replies to `speak`, without the request's id. */
export const speakReplies = {
  sound: z.object({ type: z.literal('sound'), id: z.number().int(), piece: soundPieceSchema }),
  spoken: z.object({ type: z.literal('spoken'), id: z.number().int(), spoken: spokenSchema }),
} as const;

/** The port of whoever speaks; the engine process's supervisor implements it. */
export interface SpeechPort {
  /**
   * Streams pieces of sound in the order of the text; resolves when the last one was given. One request at a time, beside
   * answers. Aborting rejects with `cancelled` at once, within a sentence too; no piece comes after it.
   * Rejects with voices-missing, not-supported, bundle-corrupt, engine-failed, engine-stopped.
   */
  speak(request: SpeakRequest, on: { sound(piece: SoundPiece): void }, signal: AbortSignal): Promise<Spoken>;
}
