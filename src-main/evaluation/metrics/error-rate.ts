import { type Edits, editsBetween } from './edit-distance.ts';

/**
 * Edits of words. The word error rate is (S + D + I) / N; Morris, Maier & Green 2004, "From WER and RIL to MER and WIL".
 * Both texts come normalised.
 */
export function wordEdits(reference: string, hypothesis: string): Edits {
  return editsBetween(wordsOf(reference), wordsOf(hypothesis));
}

/** Edits of characters (code points), single spaces between words among them. */
export function characterEdits(reference: string, hypothesis: string): Edits {
  return editsBetween([...wordsOf(reference).join(' ')], [...wordsOf(hypothesis).join(' ')]);
}

/** The rate of a whole corpus: all edits of all items by the length of all references. Null without a reference. */
export function errorRate(items: readonly Edits[]): number | null {
  let errors = 0;
  let length = 0;
  for (const { substitutions, deletions, insertions, reference } of items) {
    errors += substitutions + deletions + insertions;
    length += reference;
  }
  return length === 0 ? null : errors / length;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}
