import type { AudioClip, Failure, StorePort } from '../contract/index.ts';

/** What the audio store asks of the database: which clips are there and which must stay. */
export interface ClipLedger {
  /** Keeps a clip that no turn names yet for some minutes. */
  holdClip(clip: AudioClip): Promise<void>;
  /** Removes a clip's file unless a turn names it. Returns whether it went. */
  releaseClip(sha256: string): Promise<boolean>;
  /** Removes the sound that nothing has named for some minutes. Returns how many files went. */
  sweepClips(): Promise<number>;
}

export type Store = StorePort & ClipLedger;

/** What the worker is started with. */
export interface WorkerData {
  readonly folder: string;
  readonly busyTimeoutMs: number;
}

/** To the worker: one method of the store. The types come from the ports; no list of methods is kept by hand. */
export type StoreCall = {
  [Method in keyof Store]: { id: number; method: Method; parameters: Parameters<Store[Method]> };
}[keyof Store];

/** From the worker: first whether the database is open, then one reply a call. */
export type StoreReply =
  | { type: 'opened'; methods: Array<keyof Store> }
  | { type: 'refused'; failure: Failure }
  | { type: 'value'; id: number; value: unknown }
  | { type: 'failure'; id: number; failure: Failure };
