import { derivedTensor } from '../../formats/derived-tensor.ts';
import { requireRows } from '../../formats/plain-tensor.ts';
import type { LazyTensor } from '../../formats/tensor-source.ts';
import { expectShape } from '../../layers/expect-shape.ts';

/**
 * Tensors of one width, one below another; null is as many zeros as the first of them has. Where all are kept alike, so is what
 * they make together: a file in half precision stays one. Throws `shape-mismatch`, naming the one of another width.
 */
export function joinedRows(name: string, parts: readonly (LazyTensor | null)[]): LazyTensor {
  const known = parts.filter((part) => part !== null);
  const [first] = known;
  const rest = first?.shape.slice(1) ?? [];
  for (const part of known) expectShape(part, [part.shape[0] ?? 0, ...rest]);
  const rowsOf = (part: LazyTensor | null) => (part ?? first)?.shape[0] ?? 0;
  const shape = [parts.reduce((sum, part) => sum + rowsOf(part), 0), ...rest];
  const float32 = () => {
    const width = rest.reduce((product, size) => product * size, 1);
    return joined(parts.map((part) => part?.float32() ?? new Float32Array(rowsOf(part) * width)));
  };
  const alike = known.length === parts.length && known.every((part) => part.type === first?.type);
  if (!alike || first === undefined) return derivedTensor(name, shape, float32);
  const self: LazyTensor = {
    ...{ name, type: first.type, shape, float32 },
    read: () => Uint8Array.from(Buffer.concat(known.map((part) => part.read()))),
    rows(from, count) {
      requireRows(self, from, count);
      return joinedRows(name, rowsWithin(known, from, count));
    },
  };
  return self;
}

/** The same values in another shape with as many rows. */
export function reshapedRows(tensor: LazyTensor, width: readonly number[]): LazyTensor {
  return {
    ...{ name: tensor.name, type: tensor.type, shape: [tensor.shape[0] ?? 0, ...width] },
    read: () => tensor.read(),
    float32: () => tensor.float32(),
    rows: (from, count) => reshapedRows(tensor.rows(from, count), width),
  };
}

function rowsWithin(parts: readonly LazyTensor[], from: number, count: number): LazyTensor[] {
  const found: LazyTensor[] = [];
  let start = 0;
  for (const part of parts) {
    const rows = part.shape[0] ?? 0;
    const [first, end] = [Math.max(from, start) - start, Math.min(from + count, start + rows) - start];
    if (first < end) found.push(part.rows(first, end - first));
    start += rows;
  }
  return found;
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}
