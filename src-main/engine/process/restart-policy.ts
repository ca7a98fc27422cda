import type { Provider } from '../../contract/index.ts';

export interface BackoffSettings {
  firstMs: number;
  longestMs: number;
  /** Crashes in a row after which the process is started again only when somebody asks something. */
  patience: number;
}

export const defaultBackoff: BackoffSettings = { firstMs: 500, longestMs: 30_000, patience: 5 };

/** Crashes of one provider in a row after which it is not used again until the app starts anew. */
const crashesPerProvider = 2;

/** Decides when a crashed engine starts again, and on which device. */
export class RestartPolicy {
  readonly #settings: BackoffSettings;
  readonly #crashesOf = new Map<Provider, number>();
  readonly #givenUp = new Map<Provider, string>();
  #inARow = 0;

  constructor(settings: BackoffSettings) {
    this.#settings = settings;
  }

  /** Crashes since the last request that was answered. */
  get crashesInARow(): number {
    return this.#inARow;
  }

  get restartsByItself(): boolean {
    return this.#inARow < this.#settings.patience;
  }

  /** Milliseconds to wait before the next start: none after a first crash, then doubling. */
  get delayMs(): number {
    if (this.#inARow <= 1 || !this.restartsByItself) return 0;
    return Math.min(this.#settings.longestMs, this.#settings.firstMs * 2 ** (this.#inARow - 2));
  }

  /** @param provider the one that the request in flight ran on; null when nothing ran */
  crashed(provider: Provider | null): void {
    this.#inARow += 1;
    if (provider === null || provider === 'cpu') return;
    const crashes = (this.#crashesOf.get(provider) ?? 0) + 1;
    this.#crashesOf.set(provider, crashes);
    if (crashes >= crashesPerProvider) this.giveUp(provider, `stopped the engine ${crashes} times in a row`);
  }

  answered(provider: Provider): void {
    this.#inARow = 0;
    this.#crashesOf.delete(provider);
  }

  /** Uses the CPU in the provider's place from now on. */
  giveUp(provider: Provider, reason: string): void {
    this.#givenUp.set(provider, reason);
  }

  trusts(provider: Provider): boolean {
    return !this.#givenUp.has(provider);
  }

  /** One sentence about every provider that was given up; null when there is none. */
  get notice(): string | null {
    if (this.#givenUp.size === 0) return null;
    const reasons = [...this.#givenUp].map(([provider, reason]) => `${provider} ${reason}`);
    return `Answers run on the CPU: ${reasons.join('; ')}.`;
  }
}
