import { ModelError } from '../errors.ts';

/** A size known when the graph is built, or the name of one that is known when it runs (`S`, `frames/2`). */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

export function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** A fault in the graph that the builder found: `what` names the operator and the shapes. */
export function shapeMismatch(what: string): ModelError {
  return new ModelError(
    'shape-mismatch',
    `${what}.`,
    'The weights do not fit the architecture that was named: check the recipe and the files.',
  );
}

export function plus(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  return b === 0 ? a : `${a}+${b}`;
}

/** `dimension / divisor`, rounded down where it is known. */
export function over(dimension: Dimension, divisor: number): Dimension {
  if (typeof dimension === 'number') return Math.floor(dimension / divisor);
  return divisor === 1 ? dimension : `${/[+-]/.test(dimension) ? `(${dimension})` : dimension}/${divisor}`;
}

export function times(dimension: Dimension, factor: number): Dimension {
  if (typeof dimension === 'number') return dimension * factor;
  return factor === 1 ? dimension : `${/[+-]/.test(dimension) ? `(${dimension})` : dimension}*${factor}`;
}

/** Where a negative axis counts from the end. */
export function axisOf(shape: Shape, axis: number, operator: string): number {
  const positive = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= shape.length)
    throw shapeMismatch(`${operator}: ${shapeText(shape)} has no axis ${axis}`);
  return positive;
}

export function dimensionAt(shape: Shape, axis: number, operator: string): Dimension {
  return shape[axisOf(shape, axis, operator)] ?? 1;
}

/** A size that must be known when the graph is built. */
export function knownDimension(shape: Shape, axis: number, operator: string): number {
  const dimension = dimensionAt(shape, axis, operator);
  if (typeof dimension === 'number') return dimension;
  throw shapeMismatch(`${operator}: the size ${dimension} of ${shapeText(shape)} must be known`);
}

/** Numbers must agree; a name agrees with anything, and the number is then taken as the truth. */
export function agree(a: Dimension, b: Dimension, what: () => string): Dimension {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) throw shapeMismatch(what());
  return typeof a === 'number' ? a : b;
}

/** NumPy's rule: align at the end, a size of 1 stretches. Two different names are taken to be the first at run time. */
export function broadcast(a: Shape, b: Shape, operator: string): Dimension[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left === 1 || left === right) return right;
    if (right === 1) return left;
    return agree(
      left,
      right,
      () => `${operator}: ${shapeText(a)} and ${shapeText(b)} do not fit together element by element`,
    );
  });
}

/** `[…, M, K] · […, K, N]` → `[…, M, N]`. */
export function matMulShape(a: Shape, b: Shape): Dimension[] {
  const text = () => `MatMul: ${shapeText(a)} cannot be multiplied by ${shapeText(b)}`;
  if (a.length < 2 || b.length < 2) throw shapeMismatch(text());
  agree(dimensionAt(a, -1, 'MatMul'), dimensionAt(b, -2, 'MatMul'), text);
  return [
    ...broadcast(a.slice(0, -2), b.slice(0, -2), 'MatMul'),
    dimensionAt(a, -2, 'MatMul'),
    dimensionAt(b, -1, 'MatMul'),
  ];
}

/** ONNX Reshape: 0 keeps the size at that place, -1 takes what is left. */
export function reshapeShape(from: Shape, to: readonly number[]): Dimension[] {
  const shape = to.map((size, i) => (size === 0 ? dimensionAt(from, i, 'Reshape') : size));
  const open = to.indexOf(-1);
  const product = (sizes: Shape) =>
    sizes.reduce<number>((all, size) => (typeof size === 'number' && size !== -1 ? all * size : all), 1);
  const names = from.filter((size) => typeof size === 'string');
  for (const size of shape) if (typeof size === 'string') names.splice(names.indexOf(size), 1);
  const ratio = product(from) / product(shape);
  const divides = Number.isInteger(ratio) || (names.length > 0 && Number.isInteger(1 / ratio));
  const fits = open === -1 ? names.length === 0 && ratio === 1 : divides;
  if (!fits || to.lastIndexOf(-1) !== open)
    throw shapeMismatch(`Reshape: ${shapeText(from)} cannot become ${shapeText(to)}`);
  if (open === -1) return shape;
  const name = names.join('*');
  shape[open] = name === '' ? ratio : ratio >= 1 ? times(name, ratio) : over(name, 1 / ratio);
  return shape;
}

/** Size of `[start:end]`; a missing end is the end of the axis. */
export function slicedLength(size: Dimension, start: number, end?: number): Dimension {
  if (typeof size === 'number') {
    const bound = (at: number) => Math.min(size, at < 0 ? Math.max(0, size + at) : at);
    return Math.max(0, bound(end ?? size) - bound(start));
  }
  if (end !== undefined && start < 0 === end < 0) return end - start;
  if (end === undefined && start < 0) return -start;
  const removed = start - (end ?? 0);
  return removed === 0 ? size : `${size}-${removed}`;
}

/** Size after a sliding window: `floor((size + padding − reach) / stride) + 1`, the reach being `dilation · (kernel − 1) + 1`. */
export function windowed(
  size: Dimension,
  window: { kernel: number; stride: number; padding: readonly [number, number]; dilation: number },
): Dimension {
  const reach = window.dilation * (window.kernel - 1) + 1;
  const change = window.padding[0] + window.padding[1] - reach;
  if (typeof size === 'number') return Math.floor((size + change) / window.stride) + 1;
  // Padding that keeps the size at stride 1 halves it (rounded up) at stride 2: the usual cases, named as people name them.
  return change === -1 || change + window.stride === 0
    ? over(size, window.stride)
    : `(${size}${change < 0 ? change : `+${change}`})/${window.stride}+1`;
}
