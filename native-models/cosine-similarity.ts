/** How alike two computations of the same tensor are: 1 when they differ in scale alone. Of equal length. */
export function cosineSimilarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let product = 0;
  let ofA = 0;
  let ofB = 0;
  for (let i = 0; i < a.length; i++) {
    const [one = 0, other = 0] = [a[i], b[i]];
    product += one * other;
    ofA += one * one;
    ofB += other * other;
  }
  return product / Math.sqrt(ofA * ofB);
}
