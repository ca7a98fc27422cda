/** How one sequence became another: what was replaced, left out and put in. */
export interface Edits {
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  /** Length of the reference. */
  readonly reference: number;
}

const replace = 0;
const leaveOut = 1;
const putIn = 2;

/**
 * The fewest edits from `reference` to `hypothesis`. Levenshtein 1966, "Binary codes capable of correcting deletions,
 * insertions, and reversals". Which of equally few is a matter of taste, their sum is not: here, as in jiwer for all but odd
 * texts, a deletion goes before a substitution and that before an insertion, seen from the end.
 */
export function editsBetween(reference: readonly string[], hypothesis: readonly string[]): Edits {
  const shortest = Math.min(reference.length, hypothesis.length);
  let start = 0;
  while (start < shortest && reference[start] === hypothesis[start]) start++;
  let end = 0;
  while (end < shortest - start && reference.at(-1 - end) === hypothesis.at(-1 - end)) end++;
  const expected = reference.slice(start, reference.length - end);
  const found = hypothesis.slice(start, hypothesis.length - end);
  return { ...countSteps(expected, found, stepsBetween(expected, found)), reference: reference.length };
}

/** The last step of the shortest way to each pair of prefixes [reference + 1, hypothesis + 1]. */
function stepsBetween(reference: readonly string[], hypothesis: readonly string[]): Uint8Array {
  const width = hypothesis.length + 1;
  const steps = new Uint8Array((reference.length + 1) * width);
  steps.fill(putIn, 0, width);
  let above = Array.from({ length: width }, (_, j) => j);
  reference.forEach((expected, i) => {
    const row = [i + 1];
    steps[(i + 1) * width] = leaveOut;
    hypothesis.forEach((found, j) => {
      const replaced = (above[j] ?? 0) + (expected === found ? 0 : 1);
      const leftOut = (above[j + 1] ?? 0) + 1;
      const fewest = Math.min(replaced, leftOut, (row[j] ?? 0) + 1);
      row.push(fewest);
      steps[(i + 1) * width + j + 1] = fewest === leftOut ? leaveOut : fewest === replaced ? replace : putIn;
    });
    above = row;
  });
  return steps;
}

function countSteps(
  reference: readonly string[],
  hypothesis: readonly string[],
  steps: Uint8Array,
): Omit<Edits, 'reference'> {
  let [substitutions, deletions, insertions] = [0, 0, 0];
  let [i, j] = [reference.length, hypothesis.length];
  while (i > 0 || j > 0) {
    const step = steps[i * (hypothesis.length + 1) + j];
    if (step === replace && reference[i - 1] !== hypothesis[j - 1]) substitutions++;
    if (step === leaveOut) deletions++;
    if (step === putIn) insertions++;
    if (step !== putIn) i--;
    if (step !== leaveOut) j--;
  }
  return { substitutions, deletions, insertions };
}
