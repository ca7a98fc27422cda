import { eigenvalues } from './eigenvalues.ts';
import { gram } from './gram.ts';
import { tridiagonal } from './tridiagonal.ts';

/** Values row after row. */
export interface DenseMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

interface DoubleMatrix extends DenseMatrix {
  readonly values: Float64Array;
}

/**
 * The singular values of a matrix, largest first, min(rows, columns) of them.
 *
 * They are the roots of the eigenvalues of the smaller of A·Aᵀ and Aᵀ·A, in double precision: exact to about ten digits for the large
 * ones; those below 10⁻⁷ of the largest are lost in its rounding and come out as about that. A matrix of 5120 × 4096 takes about a
 * minute, one of 1280 × 4096 some seconds.
 */
export function singularValues(matrix: DenseMatrix): Float64Array<ArrayBuffer> {
  const { rows, columns, values } = wide(matrix);
  const squares = eigenvalues(tridiagonal(gram(values, rows, columns), rows));
  return squares
    .map((square) => Math.sqrt(Math.max(0, square)))
    .sort()
    .reverse();
}

/** The matrix with at least as many columns as rows, itself or turned, in double precision. */
export function wide(matrix: DenseMatrix): DoubleMatrix {
  return matrix.rows <= matrix.columns
    ? { ...matrix, values: new Float64Array(matrix.values) }
    : turned(matrix);
}

/** Columns become rows. */
export function turned({ rows, columns, values }: DenseMatrix): DoubleMatrix {
  const across = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      across[column * rows + row] = values[row * columns + column] as number;
  return { rows: columns, columns: rows, values: across };
}
