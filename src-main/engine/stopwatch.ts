import type { Timings } from '../contract/conversation.ts';

type Step = Exclude<keyof Timings, 'tokensPerSecond' | 'firstTokenMs'>;

/** Adds up what each step of one request took, by the wall clock, from the moment it arrived. */
export class Stopwatch {
  readonly #arrival = performance.now();
  readonly #spent: Record<Step, number> = {
    featuresMs: 0,
    encodeMs: 0,
    adaptMs: 0,
    transcribeMs: 0,
    prefillMs: 0,
    decodeMs: 0,
  };
  #firstTokenMs = 0;

  /** Runs a step and adds its time to those before it. */
  async time<T>(step: Step, work: () => T | Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#spent[step] += performance.now() - start;
    }
  }

  /** The first token is there. */
  markFirstToken(): void {
    this.#firstTokenMs = this.sinceArrivalMs;
  }

  get sinceArrivalMs(): number {
    return performance.now() - this.#arrival;
  }

  spentMs(step: Step): number {
    return this.#spent[step];
  }

  /** `decoded` tokens took `decodeMs`, the first of the answer not counted: prefill gave that one. */
  timings(decoded: number): Timings {
    const { decodeMs } = this.#spent;
    const tokensPerSecond = decodeMs > 0 ? (1000 * decoded) / decodeMs : 0;
    return { ...this.#spent, firstTokenMs: this.#firstTokenMs, tokensPerSecond };
  }
}
