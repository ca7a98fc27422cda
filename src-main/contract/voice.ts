import { z } from 'zod';
import type { Failure } from './errors.ts';

/** How turns are taken from sound that never stops: what a person may set. */
export const turnTakingSchema = z.object({
  /** Silence that ends a turn, milliseconds. */
  pauseMs: z.number().int().min(300).max(1500).default(700),
  /** 0: only clear speech close by; 1: down to whispering. */
  sensitivity: z.number().min(0).max(1).default(0.5),
  /** A turn is ended after so long, whatever is said, milliseconds. */
  longestTurnMs: z.number().int().min(1000).max(600_000).default(120_000),
});
export type TurnTaking = z.infer<typeof turnTakingSchema>;

/** Why a turn ended: the pause passed; the longer pause after open words passed; it was too long; the sound ended. */
const turnEndSchema = z.enum(['pause', 'open-words', 'too-long', 'sound-ended']);
export type TurnEnd = z.infer<typeof turnEndSchema>;

const nothingHeardSchema = z.enum(['silence', 'noise', 'music', 'too-short']);
/** Why there is no turn. */
export type NothingHeard = z.infer<typeof nothingHeardSchema>;

/** Milliseconds since the stream's first sample. */
const placeMs = z.number().nonnegative();
/** How much later than it happened it was noticed: the length of the sound that had to be heard in between. */
const noticedAfterMs = z.number().nonnegative();

/** What is noticed in a stream of sound. `fromMs` and `toMs` say which sound to keep: some before the first word, some after. */
export const turnEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('speech-started'), fromMs: placeMs, speechFromMs: placeMs, noticedAfterMs }),
  z.object({ type: z.literal('speech-paused'), speechToMs: placeMs, noticedAfterMs }),
  z.object({ type: z.literal('speech-resumed'), speechFromMs: placeMs, noticedAfterMs }),
  z.object({
    type: z.literal('turn-ended'),
    fromMs: placeMs,
    toMs: placeMs,
    speechFromMs: placeMs,
    speechToMs: placeMs,
    why: turnEndSchema,
    noticedAfterMs,
  }),
  /** Also withdraws a `speech-started` that came to nothing (`too-short`). */
  z.object({ type: z.literal('nothing-heard'), fromMs: placeMs, toMs: placeMs, why: nothingHeardSchema }),
]);
export type TurnEvent = z.infer<typeof turnEventSchema>;

export interface TurnListenerOptions {
  readonly settings: TurnTaking;
  /** In the order in which it happened. */
  onEvent(event: TurnEvent): void;
  /** Called once when the stream can hear no more: engine-stopped, engine-busy, file-missing, bundle-corrupt. Start another. */
  onFailure(failure: Failure): void;
}

/** One stream of sound in which turns are looked for. */
export interface TurnListener {
  /** f32 in -1..1 at 16 kHz mono, any number of samples as they arrive. Returns at once. */
  push(samples: Float32Array): void;
  /** The words of the turn so far, whenever more are known: one that ends with "and" is waited for longer. */
  words(text: string, language: string): void;
  /** Resolves when everything pushed so far was heard: who reads a file waits for it now and then. */
  settled(): Promise<void>;
  /** Hears what was pushed, ends the turn at hand, and closes. */
  finish(): Promise<void>;
  /** Closes without another event. */
  cancel(): void;
}

/** Turn taking for any number of streams; the model runs in a thread of its own. */
export interface TurnTakingPort {
  listen(options: TurnListenerOptions): TurnListener;
  close(): Promise<void>;
}
