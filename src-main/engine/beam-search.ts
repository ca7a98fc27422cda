import { logSumExp } from './log-sum-exp.ts';

/** A sequence of answer tokens in the running. `score` is the sum of its tokens' logarithmic probabilities. */
export interface Hypothesis {
  readonly tokens: readonly number[];
  readonly score: number;
  /** Index, among the running ones of the step before, of the one that it goes on from. */
  readonly parent: number;
}

/** A sequence that ended, without the token that ended it. */
export interface Finished {
  readonly tokens: readonly number[];
  /** Score by length, the ending token counted. */
  readonly score: number;
  readonly stopped: boolean;
}

export interface BeamSettings {
  readonly beams: number;
  readonly eosTokens: readonly number[];
  /** Tokens that no sequence grows beyond. */
  readonly mostTokens: number;
  /** Makes tokens that a sequence has already less likely: its logarithmic probability times this. */
  readonly repetitionPenalty: number;
}

interface Candidate {
  readonly parent: number;
  readonly token: number;
  readonly score: number;
}

/**
 * Beam search with a length penalty of 1, as transformers' `generate(num_beams)` has it: of all continuations the likeliest
 * `beams` that do not end run on; those of the likeliest `beams` that do are finished, and the best of them is the answer once
 * no running one can be better.
 */
export class BeamSearch {
  readonly #settings: BeamSettings;
  #running: readonly Hypothesis[] = [{ tokens: [], score: 0, parent: 0 }];
  #finished: readonly Finished[] = [];
  #done = false;

  constructor(settings: BeamSettings) {
    this.#settings = settings;
  }

  /** The likeliest first. */
  get running(): readonly Hypothesis[] {
    return this.#running;
  }

  get done(): boolean {
    return this.#done;
  }

  /** The best that ended; before any did, the likeliest that runs. */
  get best(): Pick<Finished, 'tokens' | 'stopped'> {
    return this.#finished[0] ?? { tokens: this.#running[0]?.tokens ?? [], stopped: false };
  }

  /** How many tokens at the start all sequences share that may become the answer. */
  get settled(): number {
    const all = this.#done ? [this.best] : [...this.#running, ...this.#finished];
    const [{ tokens: first } = { tokens: [] }, ...others] = all;
    let count = 0;
    while (count < first.length && others.every(({ tokens }) => tokens[count] === first[count])) count++;
    return count;
  }

  /** Goes one token further. `logits` [vocabulary] of each running sequence, in their order, are changed in place. */
  advance(logits: readonly Float32Array[]): void {
    const { beams, eosTokens, mostTokens } = this.#settings;
    const length = (this.#running[0]?.tokens.length ?? 0) + 1;
    const candidates = this.#candidates(logits, Math.max(2, 1 + eosTokens.length) * beams);
    const ends = ({ token }: Candidate) => length >= mostTokens || eosTokens.includes(token);
    const ended = candidates.slice(0, beams).filter(ends);
    const finished = ended.map(({ parent, token, score }): Finished => {
      const stopped = eosTokens.includes(token);
      const before = this.#running[parent]?.tokens ?? [];
      return { tokens: stopped ? before : [...before, token], score: score / length, stopped };
    });
    this.#finished = [...this.#finished, ...finished].sort((a, b) => b.score - a.score).slice(0, beams);
    this.#running = candidates
      .filter((candidate) => !ends(candidate))
      .slice(0, beams)
      .map(({ parent, token, score }) => ({
        tokens: [...(this.#running[parent]?.tokens ?? []), token],
        score,
        parent,
      }));
    this.#done = this.#running.length === 0 || !this.#canImprove(length);
  }

  #canImprove(length: number): boolean {
    const worst = this.#finished[this.#settings.beams - 1];
    return (
      worst === undefined || (this.#running[0]?.score ?? Number.NEGATIVE_INFINITY) / length > worst.score
    );
  }

  /** The likeliest `count` continuations of all running sequences, the likeliest first. */
  #candidates(logits: readonly Float32Array[], count: number): Candidate[] {
    const best: Candidate[] = [];
    this.#running.forEach(({ tokens, score: before }, parent) => {
      const values = logits[parent] ?? new Float32Array(0);
      const total = logSumExp(values);
      penalise(values, total, new Set(tokens), this.#settings.repetitionPenalty);
      for (let token = 0; token < values.length; token++) {
        const score = before + (values[token] as number) - total;
        const last = best[count - 1];
        if (last !== undefined && score <= last.score) continue;
        insert(best, { parent, token, score }, count);
      }
    });
    return best;
  }
}

function insert(best: Candidate[], candidate: Candidate, most: number): void {
  let at = best.length;
  while (at > 0 && (best[at - 1]?.score ?? Number.POSITIVE_INFINITY) < candidate.score) at--;
  best.splice(at, 0, candidate);
  if (best.length > most) best.pop();
}

function penalise(logits: Float32Array, total: number, tokens: ReadonlySet<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const token of tokens) logits[token] = total + penalty * ((logits[token] as number) - total);
}
