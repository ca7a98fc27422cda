/** How often each run of `order` tokens occurs. */
export function countNGrams(tokens: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + order <= tokens.length; at++) {
    const nGram = tokens.slice(at, at + order).join('\0');
    counts.set(nGram, (counts.get(nGram) ?? 0) + 1);
  }
  return counts;
}

/** How many are in both, each as often as in the one that has it less often. */
export function countCommon(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let common = 0;
  for (const [nGram, count] of a) common += Math.min(count, b.get(nGram) ?? 0);
  return common;
}
