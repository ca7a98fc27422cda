export interface Interval {
  readonly low: number;
  readonly high: number;
}

const draws = 1000;

/**
 * 95 % interval of a statistic of a corpus, by drawing as many items with replacement 1000 times. Efron 1979, "Bootstrap
 * Methods: Another Look at the Jackknife"; percentiles, as Bisani & Ney 2004 ("Bootstrap estimates for confidence intervals in
 * ASR performance evaluation") use them. The same items give the same interval. Null where the statistic has no value, or
 * for fewer than two items.
 */
export function bootstrap<Item>(
  items: readonly Item[],
  statistic: (items: readonly Item[]) => number | null,
  seed = 1,
): Interval | null {
  if (items.length < 2) return null;
  const random = uniform(seed);
  const values: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const drawn = items.map(() => items[Math.floor(random() * items.length)] as Item);
    const value = statistic(drawn);
    if (value !== null && Number.isFinite(value)) values.push(value);
  }
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

/** Linear between neighbours, as numpy's default. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [below, part] = [Math.floor(place), place % 1];
  const low = sorted[below] ?? Number.NaN;
  return low + part * ((sorted[below + 1] ?? low) - low);
}

/** Numbers in [0, 1) by xorshift32 (Marsaglia 2003), the same on every machine and in Python. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
