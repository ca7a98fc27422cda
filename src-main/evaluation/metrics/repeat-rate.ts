import { normalizeBasic } from '../text/basic-normalizer.ts';
import { splitWords } from '../text/python-pattern.ts';

/** A stretch of this many words that comes three times is no coincidence. */
const stretch = 4;
const times = 3;

/**
 * Whether an answer goes round in circles. The share of such answers is the repeat rate of Tang et al. 2024 (SALMONN), table
 * 5, which gives no rule; ours: four words in a row come three times, or one word four times without another between.
 */
export function isRepetitive(answer: string): boolean {
  const words = splitWords(normalizeBasic(answer));
  const seen = new Map<string, number>();
  for (let at = 0; at + stretch <= words.length; at++) {
    const here = words.slice(at, at + stretch);
    if (here.every((word) => word === here[0])) return true;
    const key = here.join(' ');
    const count = (seen.get(key) ?? 0) + 1;
    if (count >= times) return true;
    seen.set(key, count);
  }
  return false;
}
