import type { LazyTensor } from '../formats/tensor-source.ts';
import type { Value } from '../graph/definition.ts';
import type { BlockQuantized, Graph } from '../graph/graph.ts';
import type { Form } from './forms/form.ts';
import { formOf } from './forms/form-of.ts';
import { byteBlocks, floatSlice, int8Columns, type MatrixRows, matrixRows } from './matrix-weights.ts';
import { storedMatrix, wholeMatrix } from './stored-matrix.ts';

/**
 * How a linear layer is computed. `float`: as it is, kept in the file's own precision. `dynamic-int8`: activations become int8 on the
 * way, one scale a tensor; the fastest on a CPU for many positions, and known to no other provider. `byte-blocks`: 8-bit weights in
 * blocks of 32, known to all; `nibble-blocks`: 4-bit ones. Either keeps a row that is no whole blocks as it is.
 */
export type LinearKind = 'float' | 'dynamic-int8' | 'byte-blocks' | 'nibble-blocks';

export interface LinearWeights {
  readonly weight: LazyTensor;
  readonly bias: LazyTensor | null;
  /** Rows of the matrix to use, where several are stacked in one tensor; all by default. */
  readonly rows?: { readonly first: number; readonly count: number };
}

/** `x · Wᵀ + b` with PyTorch's [out, in] weights. */
export function linear(g: Graph, x: Value, weights: LinearWeights, kind: LinearKind): Value {
  const matrix = matrixRows(weights.weight, weights.rows?.first, weights.rows?.count);
  const part = weights.rows === undefined ? '' : `.${matrix.first}+${matrix.rows}`;
  const name = `${weights.weight.name}${part}`;
  const bias =
    weights.bias === null
      ? null
      : g.weight(`${weights.bias.name}${part}`, floatSlice(weights.bias, matrix.first, matrix.rows));
  const kept = (form: Form) => {
    const rows = { tensor: matrix.tensor.rows(matrix.first, matrix.rows), order: null };
    return wholeMatrix(g, storedMatrix(name, [rows], form));
  };
  // Rows that are no whole blocks stay as they are.
  const chosen = kind === 'byte-blocks' && matrix.columns % 16 !== 0 ? 'float' : kind;
  switch (chosen) {
    case 'float':
    case 'nibble-blocks': {
      const whole = kept(formOf(weights.weight, chosen === 'float' ? 'none' : 'q4'));
      if (whole.kind === 'levels') return g.matMulNBits(x, { ...whole, zeroPoints: null }, bias, 1);
      // Turned when the graph is loaded: the same graph for every target.
      const product = g.matMul(x, g.transpose(whole.values, [1, 0]));
      return bias === null ? product : g.add(product, bias);
    }
    case 'dynamic-int8': {
      const { data, scales } = int8Columns(matrix);
      return g.dynamicQuantizeMatMul(
        x,
        g.weight(`${name}.int8`, data),
        g.weight(`${name}.scales`, scales),
        bias,
      );
    }
    case 'byte-blocks':
      return g.matMulNBits(x, byteBlockWeight(g, name, matrix), bias);
  }
}

/** A matrix in 8-bit blocks of 32 (16 where the width demands it), as linear layers and tables share it. */
export function byteBlockWeight(g: Graph, name: string, matrix: MatrixRows): BlockQuantized {
  const blockSize = matrix.columns % 32 === 0 ? 32 : 16;
  const { data, scales } = byteBlocks(matrix, blockSize);
  return {
    ...{ bits: 8, blockSize },
    data: g.weight(`${name}.blocks`, data),
    scales: g.weight(`${name}.scales`, scales),
    zeroPoints: null,
  };
}
