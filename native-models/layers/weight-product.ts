import type { Value } from '../graph/definition.ts';
import type { Graph } from '../graph/graph.ts';
import { shapeMismatch, shapeText } from '../graph/shape.ts';
import type { Floats, Levels } from './forms/form.ts';
import { formOf } from './forms/form-of.ts';
import type { BlockRows } from './row-chunks.ts';
import { type BlockOffsets, type Dial, type Factor, sideBranch } from './side-branch.ts';
import { pickedMatrix, type StoredMatrix, someRows, storedMatrix, wholeMatrix } from './stored-matrix.ts';
import type { WeightFormat } from './weight-format.ts';

export type { BlockRows };

/** A weight matrix [rows, columns] of a language model, made when a graph that names it is written. */
export interface WeightMatrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Rows of different forms, which are multiplied one form at a time: files mix types within what is one product here. */
  readonly stored: readonly StoredMatrix[];
}

/** A low-rank change to a product, and the dial that scales it. */
export interface Change {
  readonly factor: Factor;
  readonly dial: Dial;
}

/** Matrices of one width below one another, each with its rows in the wanted order. Throws `shape-mismatch`. */
export function weightMatrix(name: string, parts: readonly BlockRows[], format: WeightFormat): WeightMatrix {
  const columns = parts[0]?.tensor.shape[1] ?? 0;
  for (const { tensor } of parts)
    if (tensor.shape.length !== 2 || tensor.shape[1] !== columns || columns === 0)
      throw shapeMismatch(`${name}: ${tensor.name} ${shapeText(tensor.shape)} is not rows of ${columns}`);
  const groups: BlockRows[][] = [];
  let form = '';
  for (const part of parts) {
    const own = formOf(part.tensor, format).name;
    if (own === form) groups.at(-1)?.push(part);
    else groups.push([part]);
    form = own;
  }
  const stored = groups.flatMap((group, i) => {
    const [first] = group;
    const of = groups.length === 1 ? name : `${name}.${i}`;
    return first === undefined ? [] : [storedMatrix(of, group, formOf(first.tensor, format))];
  });
  return { name, columns, rows: stored.reduce((sum, { rows }) => sum + rows, 0), stored };
}

/**
 * `W·x` f32 [1, S, columns] → [1, S, rows], and the change. Minima of a block, equal for all its weights, meet the sum of its
 * inputs: a product of rank columns/block, which shares its two multiplications with the change.
 *
 * 4-bit weights are multiplied in single precision: rounding the inputs to int8, a third faster, costs small models 0.0015 of the
 * logits' cosine and turns greedy answers. 8-bit weights have no such kernel on CPUs, and are multiplied with int8 inputs.
 */
export function product(g: Graph, x: Value, matrix: WeightMatrix, change: Change | null = null): Value {
  return changedProduct(g, x, matrix, change, false);
}

/** `W·x` for one position, x [1, 1, columns], as exact as with inputs in single precision: for logits. */
export function lastProduct(g: Graph, x: Value, matrix: WeightMatrix): Value {
  return changedProduct(g, x, matrix, null, true);
}

/** Rows of the matrix by their numbers, i64 [1, S] → f32 [1, S, columns]: the very values, whatever they are kept as. */
export function lookUp(g: Graph, matrix: WeightMatrix, ids: Value): Value {
  const [stored, ...others] = matrix.stored;
  if (stored === undefined || others.length > 0) throw new Error(`${matrix.name} is no table`);
  const rows = someRows(g, stored, g.reshape(ids, [-1]));
  const values = rows.kind === 'floats' ? rows.values : multipliedOut(g, rows, matrix.columns);
  const length = ids.shape[1] ?? 1;
  return g.reshapeTo(values, g.int64s([1, -1, matrix.columns]), [1, length, matrix.columns]);
}

/** Rows of the matrix weighed and summed: `weights` f32 [1, S, rows] → f32 [1, S, columns]. */
export function weighedRows(g: Graph, weights: Value, matrix: WeightMatrix): Value {
  const [stored, ...others] = matrix.stored;
  if (stored === undefined || others.length > 0) throw new Error(`${matrix.name} is no table`);
  const whole = wholeMatrix(g, stored);
  return g.matMul(weights, whole.kind === 'floats' ? whole.values : multipliedOut(g, whole, matrix.columns));
}

/** Some rows of a table as a table of its own, which takes no bytes in a file. */
export function tableOf(name: string, matrix: WeightMatrix, rows: readonly number[]): WeightMatrix {
  return {
    ...{ name, rows: rows.length, columns: matrix.columns },
    stored: matrix.stored.map((stored) => pickedMatrix(stored, name, rows)),
  };
}

function changedProduct(
  g: Graph,
  x: Value,
  matrix: WeightMatrix,
  change: Change | null,
  exact: boolean,
): Value {
  const wholes = matrix.stored.map((stored) => ({ rows: stored.rows, whole: wholeMatrix(g, stored) }));
  const factors = change === null ? [] : [change.factor];
  const [only] = wholes;
  if (only !== undefined && wholes.length === 1) {
    const y = wholeProduct(g, x, only.whole, exact);
    const offsets = offsetsOf(g, only.whole);
    if (factors.length === 0 && offsets === null) return y;
    return g.add(y, sideBranch(g, x, only.rows, factors, change?.dial ?? null, offsets));
  }
  const pieces = wholes.map(({ rows, whole }) => {
    const y = wholeProduct(g, x, whole, exact);
    const offsets = offsetsOf(g, whole);
    return offsets === null ? y : g.add(y, sideBranch(g, x, rows, [], null, offsets));
  });
  const y = g.concat(pieces, -1);
  return change === null ? y : g.add(y, sideBranch(g, x, matrix.rows, factors, change.dial, null));
}

/** The product without minima. */
function wholeProduct(g: Graph, x: Value, whole: Levels | Floats, exact: boolean): Value {
  if (whole.kind === 'floats') return g.matMulTransposed(x, whole.values, 1);
  const { bits, blockSize, scales, high } = whole;
  const blocks = { bits, blockSize, scales, zeroPoints: zeroPointsOf(g, whole) };
  if (bits === 8) {
    const times = (given: Value) => g.matMulNBits(given, { ...blocks, data: whole.data }, null, 4);
    // Only CPUs round inputs on the way.
    return exact && g.target === 'cpu' ? twofold(g, x, blockSize, times) : times(x);
  }
  const y = g.matMulNBits(x, { ...blocks, data: whole.data }, null, 1);
  if (high === null) return y;
  const eightfold = g.mul(x, g.constant('float32', [], [8]));
  return g.add(y, g.matMulNBits(eightfold, { ...blocks, data: high }, null, 1));
}

/**
 * 8-bit products with exact inputs: x is cut into what int8 holds exactly and the rest, both go through the product as two rows, and
 * are added. The next token hangs on differences smaller than what a single rounding costs (0.1 to 0.4 in a logit); the second row
 * takes less than a tenth of a step.
 */
function twofold(g: Graph, x: Value, blockSize: number, times: (x: Value) => Value): Value {
  const columns = x.shape.at(-1);
  if (typeof columns !== 'number') throw shapeMismatch(`a product's width ${columns} must be known`);
  const blocks = g.reshape(x, [columns / blockSize, blockSize]);
  const peak = g.reduceMax(g.abs(blocks), -1);
  // A block of zeros has any step but zero.
  const step = g.div(g.max(peak, g.constant('float32', [], [1e-30])), g.constant('float32', [], [127]));
  const coarse = g.mul(g.round(g.div(blocks, step)), step);
  const rows = g.reshape(g.concat([coarse, g.sub(blocks, coarse)], 0), [1, 2, columns]);
  return g.reduceSum(times(rows), 1);
}

/** What a product subtracts from every level of itself. */
function centre({ bits, high }: Levels): number {
  if (bits === 8) return 128;
  return high === null ? 8 : 16;
}

/** u8 [rows, blocks], where levels lie around another number than the operator's own. */
function zeroPointsOf(g: Graph, levels: Levels): Value | null {
  if (levels.minima !== null || levels.zero === centre(levels)) return null;
  const [rows, blocks] = levels.scales.shape;
  const zero = g.constant('uint8', [1, 1], [levels.zero]);
  return g.expand(zero, g.int64s([Number(rows), Number(blocks)]), levels.scales.shape);
}

/** f32 [rows, blocks]: what the product has yet to add for each block. */
function offsetsOf(g: Graph, whole: Levels | Floats): BlockOffsets | null {
  if (whole.kind === 'floats' || whole.minima === null) return null;
  const lifted = g.mul(whole.scales, g.constant('float32', [], [centre(whole)]));
  return { blockSize: whole.blockSize, values: g.add(whole.minima, lifted) };
}

/** Levels → f32 [rows, columns]. */
function multipliedOut(g: Graph, levels: Levels, columns: number): Value {
  const { bits, blockSize, data, high, scales, zero, minima } = levels;
  const number = (value: number) => g.constant('float32', [], [value]);
  const numbers = (packed: Value) =>
    g.reshape(g.cast(bits === 4 ? g.unpackNibbles(packed) : packed, 'float32'), [
      -1,
      columns / blockSize,
      blockSize,
    ]);
  const low = numbers(data);
  const all = high === null ? low : g.add(low, g.mul(g.sub(numbers(high), number(7)), number(8)));
  const perBlock = (x: Value) => g.unsqueeze(x, -1);
  const values =
    minima === null
      ? g.mul(g.sub(all, number(zero)), perBlock(scales))
      : g.add(g.mul(all, perBlock(scales)), perBlock(minima));
  return g.reshape(values, [-1, columns]);
}
