import { logSumExp } from './log-sum-exp.ts';

/**
 * Σ p · (log p − log q), in nats, of the distributions that two rows of logits stand for: how far q is from the reference p.
 * Kullback & Leibler 1951, "On Information and Sufficiency".
 */
export function klDivergence(reference: Float32Array, logits: Float32Array): number {
  const normP = logSumExp(reference);
  const normQ = logSumExp(logits);
  let divergence = 0;
  for (let i = 0; i < reference.length; i++) {
    const logP = (reference[i] as number) - normP;
    const p = Math.exp(logP);
    if (p > 0) divergence += p * (logP - ((logits[i] as number) - normQ));
  }
  // Rounding can leave equal distributions a hair below nought.
  return Math.max(0, divergence);
}
