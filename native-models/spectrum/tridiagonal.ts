/** A symmetric matrix with the same eigenvalues as another, zero but on its diagonal and beside it. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** [size]: element i stands between i and i + 1; the last is 0. */
  readonly beside: Float64Array;
}

/** A step's mirror: I − scale·v·vᵀ, with v zero up to the step's own row. */
export interface Mirror {
  readonly vector: Float64Array;
  readonly scale: number;
}

/**
 * Householder's reduction of a symmetric matrix [size, size], of which the half on and below the diagonal is read and used up.
 * `seen` gets each step's mirror, for those who need the vectors too.
 *
 * Each step mirrors the rest of the matrix: A − v·wᵀ − w·vᵀ. That change is put off and made in the same pass that multiplies the
 * matrix with the next step's vector, since passing over the matrix is what takes the time.
 */
export function tridiagonal(
  matrix: Float64Array,
  size: number,
  seen: (step: number, mirror: Mirror) => void = () => undefined,
): Tridiagonal {
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  let v: Float64Array = new Float64Array(size);
  let w: Float64Array = new Float64Array(size);
  for (let step = 0; step < size; step++) {
    changeColumn(matrix, size, step, v, w);
    diagonal[step] = matrix[step * size + step] as number;
    const { vector, scale, length } = mirrorOf(matrix, size, step);
    beside[step] = length;
    seen(step, { vector, scale });
    const product = changeAndMultiply(matrix, size, step + 1, v, w, vector);
    w = secondVector(product, vector, scale, step + 1);
    v = vector;
  }
  return { diagonal, beside };
}

/** Brings one column up to date with the change that was put off. */
function changeColumn(
  matrix: Float64Array,
  size: number,
  column: number,
  v: Float64Array,
  w: Float64Array,
): void {
  const vc = v[column] as number;
  const wc = w[column] as number;
  for (let i = column; i < size; i++)
    matrix[i * size + column] =
      (matrix[i * size + column] as number) - (v[i] as number) * wc - (w[i] as number) * vc;
}

/** The mirror that leaves of the column below the diagonal its first element alone, which becomes `length`. */
function mirrorOf(matrix: Float64Array, size: number, column: number): Mirror & { readonly length: number } {
  const vector = new Float64Array(size);
  let sum = 0;
  for (let i = column + 1; i < size; i++) {
    const value = matrix[i * size + column] as number;
    vector[i] = value;
    sum += value * value;
  }
  const head = column + 1 < size ? (vector[column + 1] as number) : 0;
  if (sum === head * head) return { vector: vector.fill(0), scale: 0, length: head };
  const length = head > 0 ? -Math.sqrt(sum) : Math.sqrt(sum);
  vector[column + 1] = head - length;
  return { vector, scale: 1 / (sum - head * length), length };
}

/** Makes the change that was put off in rows and columns from `first` on, and gives the changed matrix times `vector`. */
function changeAndMultiply(
  matrix: Float64Array,
  size: number,
  first: number,
  v: Float64Array,
  w: Float64Array,
  vector: Float64Array,
): Float64Array {
  const product = new Float64Array(size);
  for (let i = first; i < size; i++) {
    const row = i * size;
    const vi = v[i] as number;
    const wi = w[i] as number;
    const own = vector[i] as number;
    let sum = 0;
    for (let j = first; j < i; j++) {
      const value = (matrix[row + j] as number) - vi * (w[j] as number) - wi * (v[j] as number);
      matrix[row + j] = value;
      sum += value * (vector[j] as number);
      product[j] = (product[j] as number) + value * own;
    }
    const middle = (matrix[row + i] as number) - 2 * vi * wi;
    matrix[row + i] = middle;
    product[i] = (product[i] as number) + sum + middle * own;
  }
  return product;
}

/** w of the change A − v·wᵀ − w·vᵀ that the mirror of v makes. */
function secondVector(
  product: Float64Array,
  vector: Float64Array,
  scale: number,
  first: number,
): Float64Array {
  let along = 0;
  for (let i = first; i < vector.length; i++) along += (product[i] as number) * (vector[i] as number);
  const part = (scale * scale * along) / 2;
  const w = new Float64Array(vector.length);
  for (let i = first; i < vector.length; i++)
    w[i] = scale * (product[i] as number) - part * (vector[i] as number);
  return w;
}
