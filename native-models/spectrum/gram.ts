/** Columns that pass before the next rows, so that the pieces being multiplied stay in a core's nearest cache. */
const chunk = 512;

/**
 * The product of every row with every other, R·Rᵀ, for R [rows, columns] given row after row, in double precision. Only the half of
 * [rows, rows] on and below the diagonal is filled.
 */
export function gram(values: Float64Array, rows: number, columns: number): Float64Array {
  const products = new Float64Array(rows * rows);
  for (let start = 0; start < columns; start += chunk) {
    const piece = { columns, start, end: Math.min(columns, start + chunk) };
    for (let i = 0; i + 1 < rows; i += 2)
      for (let j = 0; j <= i; j += 2) addFour(products, values, rows, i, j, piece);
    if (rows % 2 === 1) for (let j = 0; j < rows; j++) addOne(products, values, rows, rows - 1, j, piece);
  }
  return products;
}

interface Piece {
  readonly columns: number;
  readonly start: number;
  readonly end: number;
}

/** Two rows with two others: each value that is loaded is used twice. Writes one value above the diagonal when i is j. */
function addFour(
  products: Float64Array,
  values: Float64Array,
  rows: number,
  i: number,
  j: number,
  { columns, start, end }: Piece,
): void {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  const upper = i * columns;
  const lower = upper + columns;
  const left = j * columns;
  const right = left + columns;
  for (let column = start; column < end; column++) {
    const a = values[upper + column] as number;
    const b = values[lower + column] as number;
    const c = values[left + column] as number;
    const d = values[right + column] as number;
    first += a * c;
    second += a * d;
    third += b * c;
    fourth += b * d;
  }
  const at = i * rows + j;
  products[at] = (products[at] as number) + first;
  products[at + 1] = (products[at + 1] as number) + second;
  products[at + rows] = (products[at + rows] as number) + third;
  products[at + rows + 1] = (products[at + rows + 1] as number) + fourth;
}

function addOne(
  products: Float64Array,
  values: Float64Array,
  rows: number,
  i: number,
  j: number,
  { columns, start, end }: Piece,
): void {
  let sum = 0;
  for (let column = start; column < end; column++)
    sum += (values[i * columns + column] as number) * (values[j * columns + column] as number);
  products[i * rows + j] = (products[i * rows + j] as number) + sum;
}
