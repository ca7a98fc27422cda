import type { Sampling } from '../contract/engine.ts';
import type { Unit } from './prompt/sequence.ts';

export interface Generation {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finish: 'stop' | 'length' | 'cancelled';
  /** Positions of the prompt that were not computed again. */
  readonly cachedPositions: number;
}

export interface GenerationRequest {
  readonly units: readonly Unit[];
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly loraScale: number;
  readonly sampling: Sampling;
  /** Sequences kept side by side at temperature 0; 1 is greedy decoding. */
  readonly beams: number;
  /** Tokens that fit behind the prompt. */
  readonly room: number;
}

export interface GenerationListener {
  /** The answer begins. */
  begin?(): void;
  /** A piece of its text. */
  token(text: string): void;
}
