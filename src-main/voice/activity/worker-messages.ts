import type { Failure } from '../../contract/index.ts';

/** What the worker is started with. */
export interface ActivityWorkerData {
  /** The model's file. */
  readonly model: string;
}

/** To the worker. A stream's model memory begins at `open` and is dropped at `close`. */
export type ActivityCall =
  | { type: 'open'; stream: number }
  /** Whole frames, 512 samples each. */
  | { type: 'hear'; stream: number; samples: Float32Array }
  | { type: 'close'; stream: number }
  | { type: 'end' };

/** From the worker: first whether the model is loaded, then one `heard` for every `hear`, in order. */
export type ActivityReply =
  | { type: 'ready' }
  | { type: 'refused'; failure: Failure }
  /** Three numbers a frame: probability, loudness, tonality. */
  | { type: 'heard'; stream: number; frames: Float32Array };
