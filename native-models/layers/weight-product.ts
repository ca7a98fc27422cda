import type { Value } from '../graph/definition.ts';
import type { Graph } from '../graph/graph.ts';
import { type BlockMatrix, type BlockRows, blockMatrix, blockTable, byteMatrix } from './block-matrix.ts';
import { blockProduct, type Change, twofoldProduct } from './block-product.ts';
import type { WeightFormat } from './weight-format.ts';

export type { BlockRows, Change };

/** A weight matrix [rows, columns] of a language model, made when a graph that names it is written. */
export interface WeightMatrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly blocks: BlockMatrix;
  readonly table: BlockMatrix;
}

/** Matrices of one width below one another, each with its rows in the wanted order. Throws `shape-mismatch`. */
export function weightMatrix(name: string, parts: readonly BlockRows[], format: WeightFormat): WeightMatrix {
  if (format !== 'keep') throw new Error(`${name}: weights cannot be made ${format}`);
  const blocks = blockMatrix(name, parts);
  const [first] = parts;
  if (first === undefined) throw new Error(`${name} has no parts`);
  return { name, rows: blocks.rows, columns: blocks.columns, blocks, table: byteMatrix(name, first.tensor) };
}

/** `W·x` f32 [1, S, columns] → [1, S, rows], and the change. */
export function product(g: Graph, x: Value, matrix: WeightMatrix, change: Change | null = null): Value {
  return blockProduct(g, x, matrix.blocks, change);
}

/** `W·x` for one position, x [1, 1, columns], as exact as with inputs in single precision: for logits. */
export function lastProduct(g: Graph, x: Value, matrix: WeightMatrix): Value {
  return twofoldProduct(g, x, matrix.table);
}

/** Rows of the matrix by their numbers, i64 [1, S] → f32 [1, S, columns]. */
export function lookUp(g: Graph, matrix: WeightMatrix, ids: Value): Value {
  return g.gatherBlockQuantized(blockTable(g, matrix.table), ids);
}
