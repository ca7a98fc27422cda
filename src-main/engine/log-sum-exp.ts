/** log Σ exp over logits [from, to), without overflow. */
export function logSumExp(logits: Float32Array, from = 0, to = logits.length): number {
  let highest = -Infinity;
  for (let i = from; i < to; i++) highest = Math.max(highest, logits[i] as number);
  if (highest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.exp((logits[i] as number) - highest);
  return highest + Math.log(sum);
}
