import type { Tridiagonal } from './tridiagonal.ts';

/** Turns the plane of two neighbouring directions, `lower` and `lower + 1`. */
export type Rotation = (lower: number, cosine: number, sine: number) => void;

const mostSweeps = 60;

/**
 * The eigenvalues of a tridiagonal matrix, in no order: QL iterations with implicit shifts (Dubrulle, Martin, Wilkinson 1968).
 * `rotate` gets every rotation, for those who need the vectors too.
 */
export function eigenvalues(
  { diagonal, beside }: Tridiagonal,
  rotate: Rotation = () => undefined,
): Float64Array<ArrayBuffer> {
  const values = Float64Array.from(diagonal);
  const next = Float64Array.from(beside);
  for (let first = 0; first < values.length; first++) {
    let sweeps = 0;
    for (let last = blockEnd(values, next, first); last > first; last = blockEnd(values, next, first)) {
      if (sweeps++ === mostSweeps) throw new Error(`eigenvalue ${first} did not settle`);
      sweep(values, next, first, last, rotate);
    }
  }
  return values;
}

/** Where the matrix falls apart: the first element beside the diagonal that is nothing next to its neighbours. */
function blockEnd(values: Float64Array, next: Float64Array, first: number): number {
  let last = first;
  while (last + 1 < values.length) {
    const size = Math.abs(values[last] as number) + Math.abs(values[last + 1] as number);
    if (Math.abs(next[last] as number) <= Number.EPSILON * size) break;
    last++;
  }
  return last;
}

function sweep(
  values: Float64Array,
  next: Float64Array,
  first: number,
  last: number,
  rotate: Rotation,
): void {
  const start = values[first] as number;
  const ratio = ((values[first + 1] as number) - start) / (2 * (next[first] as number));
  const root = Math.hypot(ratio, 1);
  let carried =
    (values[last] as number) - start + (next[first] as number) / (ratio + (ratio < 0 ? -root : root));
  let cosine = 1;
  let sine = 1;
  let shift = 0;
  for (let i = last - 1; i >= first; i--) {
    const across = sine * (next[i] as number);
    const along = cosine * (next[i] as number);
    const length = Math.hypot(across, carried);
    next[i + 1] = length;
    if (length === 0) {
      values[i + 1] = (values[i + 1] as number) - shift;
      next[last] = 0;
      return;
    }
    sine = across / length;
    cosine = carried / length;
    const above = (values[i + 1] as number) - shift;
    const turned = ((values[i] as number) - above) * sine + 2 * cosine * along;
    shift = sine * turned;
    values[i + 1] = above + shift;
    carried = cosine * turned - along;
    rotate(i, cosine, sine);
  }
  values[first] = (values[first] as number) - shift;
  next[first] = carried;
  next[last] = 0;
}
