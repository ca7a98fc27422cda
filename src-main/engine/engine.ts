import type { EngineName, Provider } from '../contract/conversation.ts';
import type {
  AnswerRequest,
  AnswerResult,
  Segment,
  TranscribeRequest,
  Transcript,
} from '../contract/engine.ts';

/** What the engine is doing, for the screen: reading weights, encoding sound, prefilling, decoding. */
export type Phase = 'loading' | 'hearing' | 'thinking' | 'writing';

export interface AnswerListener {
  /** A piece of the answer: whole characters, no special tokens. All pieces joined are the answer's text. */
  token(text: string): void;
  phase?(phase: Phase): void;
}

export interface TranscribeListener {
  segment?(segment: Segment): void;
  phase?(phase: Phase): void;
}

/** Something worth a line in the log. Never holds what was said, asked or answered. */
export interface EngineEvent {
  readonly event: string;
  readonly [detail: string]: string | number | boolean;
}

export interface EngineOptions {
  /** Folder of what may be deleted at any time: encoded sound, transcripts, keys and values. Made when absent. */
  readonly cacheFolder: string;
  /** Threads of one operator; by default the machine's physical cores. */
  readonly threads?: number;
  /** Memory for the keys and values of conversations that are not being answered. Default 512 MiB. */
  readonly memoryBytes?: number;
  /** Disk for the keys and values of conversations. Default 1 GiB. */
  readonly snapshotBytes?: number;
  readonly log?: (event: EngineEvent) => void;
}

/**
 * The speech LLM at run time. Requests wait for one another. `device` must name a provider: the supervisor, which can try
 * providers in a process of their own, has resolved `auto` before.
 */
export interface Engine {
  /** Reads the parts of a bundle that this engine needs. Throws ParlanceError: bundle-…, device-unavailable, engine-failed. */
  load(bundle: string, provider: Provider, engine: EngineName): Promise<void>;
  /** Aborting ends within one token or one encoder window and resolves with what there is, `finish: 'cancelled'`. */
  answer(request: AnswerRequest, on: AnswerListener, signal: AbortSignal): Promise<AnswerResult>;
  /** Aborting rejects with `cancelled`; the segments so far were streamed. */
  transcribe(request: TranscribeRequest, on: TranscribeListener, signal: AbortSignal): Promise<Transcript>;
  /** Writes the keys and values of every open conversation to the cache folder and frees the sessions. */
  close(): Promise<void>;
}
