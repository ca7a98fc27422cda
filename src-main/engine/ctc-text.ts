/** How vocabularies write labels that are no text: the blank, the unknown, beginnings and ends. */
const silent = /^(<.*>|\[[A-Z]+\])$/;
/** SentencePiece's mark for a space before a word. */
const wordMark = /▁/g;

/**
 * What a CTC head reads, the likeliest label of each frame: repeated labels are one, the blank is none (Graves et al. 2006).
 * `scores` [frames, labels], larger is likelier.
 */
export function ctcText(scores: Float32Array, labels: readonly string[]): string {
  const count = labels.length;
  let text = '';
  let before = -1;
  for (let start = 0; start + count <= scores.length; start += count) {
    let best = 0;
    for (let label = 1; label < count; label++)
      if ((scores[start + label] as number) > (scores[start + best] as number)) best = label;
    const label = labels[best] ?? '';
    if (best !== before && !silent.test(label)) text += label;
    before = best;
  }
  return text.replace(wordMark, ' ').trim();
}
