import type { Sampling } from '../contract/engine.ts';
import { seededRandom } from './random.ts';

/** Below the likeliest token by more than this (nats, after temperature) a token is never drawn: e^-20. */
const negligible = 20;

/**
 * Chooses the next token: greedy at temperature 0, else drawn from the nucleus of probability `topP` (Holtzman et al. 2020).
 * The same seed and logits give the same tokens.
 */
export class Sampler {
  readonly #sampling: Omit<Sampling, 'maxTokens'>;
  readonly #random: () => number;

  constructor(sampling: Omit<Sampling, 'maxTokens'>) {
    this.#sampling = sampling;
    this.#random = seededRandom(sampling.seed);
  }

  /** `logits` [vocabulary] are changed in place; `answer` are the tokens so far. */
  next(logits: Float32Array, answer: Iterable<number>): number {
    const { temperature, topP, repetitionPenalty } = this.#sampling;
    if (repetitionPenalty > 1) penalise(logits, new Set(answer), repetitionPenalty);
    if (temperature === 0) return likeliest(logits);
    return draw(logits, temperature, topP, this.#random());
  }
}

/** Index of the largest logit; the first of equals. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  let bestLogit = -Infinity;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i] as number;
    if (logit > bestLogit) {
      bestLogit = logit;
      best = i;
    }
  }
  return best;
}

/** Keskar et al. 2019 (CTRL), section 4.1: divides what is positive, multiplies what is negative. */
function penalise(logits: Float32Array, tokens: Set<number>, penalty: number): void {
  for (const token of tokens) {
    const logit = logits[token];
    if (logit === undefined) continue;
    logits[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

function draw(logits: Float32Array, temperature: number, topP: number, chance: number): number {
  const highest = logits[likeliest(logits)] ?? 0;
  const candidates: Array<{ token: number; weight: number }> = [];
  let total = 0;
  for (let token = 0; token < logits.length; token++) {
    const below = ((logits[token] as number) - highest) / temperature;
    if (below < -negligible) continue;
    const weight = Math.exp(below);
    total += weight;
    candidates.push({ token, weight });
  }
  candidates.sort((a, b) => b.weight - a.weight || a.token - b.token);
  let nucleus = 0;
  let size = 0;
  while (size < candidates.length && nucleus < topP * total) nucleus += candidates[size++]?.weight ?? 0;
  let left = chance * nucleus;
  for (const { token, weight } of candidates.slice(0, size)) {
    left -= weight;
    if (left < 0) return token;
  }
  return candidates[size - 1]?.token ?? likeliest(logits);
}
