import { requireRows } from '../formats/plain-tensor.ts';
import type { LazyTensor } from '../formats/tensor-source.ts';
import type { LoraPart } from './lora.ts';

/** Rows of a tensor in a file that stand for outputs of a linear layer in another order: `output(row)` of a file's row. */
export interface MergedRows {
  readonly tensor: LazyTensor;
  readonly output: (row: number) => number;
}

/**
 * The matrix with a LoRA added once and for all, `W + scale · B·A`, in single precision: as a tensor of its own, whose rows are
 * read and changed as they are asked for. `parts` count outputs from the first of the matrix.
 */
export function mergedTensor(
  { tensor, output }: MergedRows,
  parts: readonly LoraPart[],
  scale: number,
): LazyTensor {
  if (parts.length === 0) return tensor;
  return merged(tensor, 0, output, parts, scale);
}

function merged(
  tensor: LazyTensor,
  first: number,
  output: (row: number) => number,
  parts: readonly LoraPart[],
  scale: number,
): LazyTensor {
  const values = () => {
    // The values may be kept by whoever made them.
    const all = tensor.float32().slice();
    const [rows = 0, columns = 0] = tensor.shape;
    for (const part of parts) addProduct(all, { first, rows, columns }, output, part, scale);
    return all;
  };
  const self: LazyTensor = {
    name: tensor.name,
    type: 'F32',
    shape: tensor.shape,
    float32: values,
    read: () => {
      const { buffer, byteOffset, byteLength } = values();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    rows(start, count) {
      requireRows(self, start, count);
      return merged(tensor.rows(start, count), first + start, output, parts, scale);
    },
  };
  return self;
}

/** Adds `scale · B·A` to the rows that lie at `first` of the whole matrix. */
function addProduct(
  all: Float32Array,
  { first, rows, columns }: { first: number; rows: number; columns: number },
  output: (row: number) => number,
  part: LoraPart,
  scale: number,
): void {
  const [a, b] = [part.a.float32(), part.b.float32()];
  const [rank = 0] = part.a.shape;
  for (let row = 0; row < rows; row++) {
    const at = output(first + row) - part.first;
    if (at < 0 || at >= part.outputs) continue;
    for (let r = 0; r < rank; r++) {
      const weight = scale * (b[at * rank + r] ?? 0);
      for (let column = 0; column < columns; column++) {
        const place = row * columns + column;
        all[place] = (all[place] ?? 0) + weight * (a[r * columns + column] ?? 0);
      }
    }
  }
}
