import { isDeepStrictEqual } from 'node:util';
import type { EngineStatus } from '../../contract/index.ts';

/** What the engine is doing, and who wants to know: told only what changed. */
export class StatusBoard {
  readonly #listeners = new Set<(status: EngineStatus) => void>();
  #status: EngineStatus = {
    state: 'stopped',
    bundle: null,
    provider: null,
    restarts: 0,
    tokensPerSecond: null,
    firstTokenMs: null,
    memoryBytes: null,
    notice: null,
  };

  get status(): EngineStatus {
    return this.#status;
  }

  /** Gives the way to stop listening. */
  onStatus(listener: (status: EngineStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  update(change: Partial<EngineStatus>): void {
    const next = { ...this.#status, ...change };
    if (isDeepStrictEqual(next, this.#status)) return;
    this.#status = next;
    for (const listener of this.#listeners) listener(next);
  }
}
