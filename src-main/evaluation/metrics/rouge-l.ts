/**
 * ROUGE-L: the F-score (precision and recall alike) of the longest common subsequence of words. Lin 2004, "ROUGE: A Package
 * for Automatic Evaluation of Summaries", section 3; words as Google's rouge-score cuts them, unstemmed: runs of a–z and 0–9.
 */
export function rougeL(reference: string, hypothesis: string): number {
  const expected = wordsOf(reference);
  const found = wordsOf(hypothesis);
  const common = longestCommon(expected, found);
  return common === 0 ? 0 : (2 * common) / (expected.length + found.length);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let above = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const row = [0];
    b.forEach((other, j) => {
      row.push(word === other ? (above[j] ?? 0) + 1 : Math.max(above[j + 1] ?? 0, row[j] ?? 0));
    });
    above = row;
  }
  return above.at(-1) ?? 0;
}
