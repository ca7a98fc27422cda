import { eigenvalues } from './eigenvalues.ts';
import { gram } from './gram.ts';
import { type DenseMatrix, turned, wide } from './singular-values.ts';
import { type Mirror, tridiagonal } from './tridiagonal.ts';

/**
 * The matrix with its top `rank` singular values alone, the nearest of that rank: what the transferable aligner, table 2, runs with. Values row after
 * row, in single precision. 1280 × 4096 takes some ten seconds, whatever the rank.
 */
export function truncated(matrix: DenseMatrix, rank: number): Float32Array<ArrayBuffer> {
  const { rows, columns, values } = wide(matrix);
  const nearest = new Float64Array(rows * columns);
  for (const direction of topDirections(values, rows, columns, rank)) {
    const along = new Float64Array(columns);
    for (let row = 0; row < rows; row++)
      addScaled(along, 0, values, row * columns, direction[row] ?? 0, columns);
    for (let row = 0; row < rows; row++)
      addScaled(nearest, row * columns, along, 0, direction[row] ?? 0, columns);
  }
  const shaped = { rows, columns, values: nearest };
  return new Float32Array((matrix.rows <= matrix.columns ? shaped : turned(shaped)).values);
}

function addScaled(
  to: Float64Array,
  toStart: number,
  from: Float64Array,
  fromStart: number,
  scale: number,
  count: number,
): void {
  for (let i = 0; i < count; i++)
    to[toStart + i] = (to[toStart + i] as number) + scale * (from[fromStart + i] as number);
}

/** The left singular vectors of the largest singular values: eigenvectors of the rows' products. */
function topDirections(values: Float64Array, rows: number, columns: number, rank: number): Float64Array[] {
  const mirrors: Mirror[] = [];
  const reduced = tridiagonal(gram(values, rows, columns), rows, (_, mirror) => mirrors.push(mirror));
  const vectors = Array.from({ length: rows }, (_, i) => {
    const vector = new Float64Array(rows);
    vector[i] = 1;
    return vector;
  });
  const squares = eigenvalues(reduced, (lower, cosine, sine) => {
    const [first, second] = [vectors[lower], vectors[lower + 1]];
    if (first !== undefined && second !== undefined) rotate(first, second, cosine, sine);
  });
  const order = Array.from(squares.keys()).sort((a, b) => (squares[b] ?? 0) - (squares[a] ?? 0));
  const top = order.slice(0, rank).flatMap((i) => vectors[i] ?? []);
  for (const vector of top) for (const mirror of mirrors.toReversed()) reflect(vector, mirror);
  return top;
}

function rotate(first: Float64Array, second: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < first.length; i++) {
    const a = first[i] as number;
    const b = second[i] as number;
    first[i] = cosine * a - sine * b;
    second[i] = sine * a + cosine * b;
  }
}

function reflect(vector: Float64Array, mirror: Mirror): void {
  let along = 0;
  for (let i = 0; i < vector.length; i++) along += (vector[i] as number) * (mirror.vector[i] as number);
  const amount = along * mirror.scale;
  for (let i = 0; i < vector.length; i++)
    vector[i] = (vector[i] as number) - amount * (mirror.vector[i] as number);
}
