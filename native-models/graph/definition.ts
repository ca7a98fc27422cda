import type { ElementType } from './element-types.ts';
import type { Shape } from './shape.ts';

/** A value in a graph: what a node gives, a weight, or an input. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

/**
 * A constant whose bytes (row-major, little-endian) are made when the file is written, and not kept. Weights of the same name in
 * graphs that share a data file are written once; their shapes may differ, their size may not.
 */
export interface Weight {
  readonly type: ElementType;
  readonly shape: readonly number[];
  read(): Uint8Array | Promise<Uint8Array>;
  /** The same bytes piece by piece, for what is too large to be held at once. */
  chunks?(): Iterable<Uint8Array>;
}

export interface NamedWeight extends Weight {
  readonly name: string;
}

/** An attribute says its ONNX type, since JavaScript cannot tell 1 from 1.0. */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'graph'; readonly value: GraphDefinition };

export interface NodeDefinition {
  /** '' is ONNX's own set of operators. */
  readonly domain: string;
  readonly type: string;
  readonly name: string;
  /** Names of values; '' where an optional one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A finished graph as plain data: what the ONNX writer takes. */
export interface GraphDefinition {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly NodeDefinition[];
  readonly weights: readonly NamedWeight[];
}
