import type { Value } from '../../graph/definition.ts';
import type { ElementType } from '../../graph/element-types.ts';
import type { Graph } from '../../graph/graph.ts';

/** A part of every row of a matrix, kept as a weight of its own: [rows, ...row]. */
export interface Piece {
  readonly name: string;
  readonly type: ElementType;
  readonly row: readonly number[];
  /** Small enough to be gathered on the side while the matrix passes by. */
  readonly small: boolean;
}

/** Levels in blocks along a row: `w = scale · level + minimum`, or `scale · (level − zero)` where there are no minima. */
export interface Levels {
  readonly kind: 'levels';
  readonly bits: 4 | 8;
  readonly blockSize: number;
  /** u8 [rows, blocks, blockSize·bits/8], low nibble first. */
  readonly data: Value;
  /** Four bits more, of the same shape, each `8 · (nibble − 7)` on top of a level of `data`; null where there are none. */
  readonly high: Value | null;
  /** f32 [rows, blocks]. */
  readonly scales: Value;
  readonly zero: number;
  /** f32 [rows, blocks]. */
  readonly minima: Value | null;
}

export interface Floats {
  readonly kind: 'floats';
  /** f32 [rows, columns]. */
  readonly values: Value;
}

/**
 * How rows of one stored type stand in a data file, in no more bytes than they had, and the nodes that make of them what a product
 * or a table takes. ONNX Runtime computes nodes over weights once, when it loads the graph (its ConstantFolding), and prepares what
 * comes out for the product as it would a weight.
 */
export interface Form {
  /** Matrices of equal forms can stand below one another. */
  readonly name: string;
  /** Whether `convert` takes the file's bytes, or single precision. */
  readonly takes: 'stored' | 'float32';
  readonly pieces: readonly Piece[];
  /** Rows → the bytes of those pieces that are wanted, by name. */
  convert(rows: Uint8Array, wanted: ReadonlySet<string>): Readonly<Record<string, Uint8Array>>;
  /** Works on all rows as well as on some that were looked up: the first dimension of every piece is that of rows. */
  unpack(g: Graph, pieces: (name: string) => Value): Levels | Floats;
}
