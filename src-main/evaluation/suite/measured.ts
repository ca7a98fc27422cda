import { bootstrap, type Interval } from '../metrics/bootstrap.ts';

export interface Measure {
  readonly value: number;
  /** 95 %, by bootstrap over items; null for a single item. */
  readonly interval: Interval | null;
  /** Items that it was measured on. */
  readonly items: number;
}

/** A statistic of what is known of each item, with its interval; null where nothing is known. */
export function measureOf<Part>(
  parts: readonly Part[],
  statistic: (parts: readonly Part[]) => number | null,
): Measure | null {
  const value = parts.length === 0 ? null : statistic(parts);
  return value === null ? null : { value, interval: bootstrap(parts, statistic), items: parts.length };
}
