import { float, int } from './core.ts';
import type { GraphDefinition, Value } from './definition.ts';
import { DynamicOperators } from './dynamic-operators.ts';
import { agree, dimensionAt, knownDimension, plus, shapeMismatch, shapeText } from './shape.ts';

const microsoft = 'com.microsoft';

/** A weight matrix in blocks along its inner dimension K, as MatMulNBits wants it: `[N, K/block, block·bits/8]`. */
export interface BlockQuantized {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly data: Value;
  /** f32 [N, K/block]. */
  readonly scales: Value;
  /** u8 packed, or f32 [N, K/block]; null is 2^(bits−1). */
  readonly zeroPoints: Value | null;
}

export interface GroupQueryAttentionInputs {
  /** Queries, keys and values beside one another: [1, S, (heads + 2·kvHeads)·headSize]. */
  readonly qkv: Value;
  /** [1, kvHeads, P, headSize]. */
  readonly pastKey: Value;
  readonly pastValue: Value;
  /** i32 [1]: all positions, new ones included, less one. */
  readonly lastPosition: Value;
  /** i32 scalar: all positions, new ones included. */
  readonly totalLength: Value;
  /** f32 [context, rotated dimensions/2]: rotary position embeddings; null where positions are not rotated in. */
  readonly cosines: Value | null;
  readonly sines: Value | null;
  readonly heads: number;
  readonly kvHeads: number;
  /** Of the scores; 1/√headSize where it is not given. */
  readonly scale?: number;
  /** Positions that each looks at, itself included; all before it where it is not given. */
  readonly window?: number | null;
}

/**
 * A graph under construction. Values are handles that carry element type and shape, so that a formula reads as such and a weight
 * that does not fit is refused where it is used, with both shapes named. Adds ONNX Runtime's fused operators to the standard ones.
 */
export class Graph extends DynamicOperators {
  /** `norm(x + skip)` and the sum itself, in one pass over memory: the residual step of LLaMA-like blocks. */
  skipNorm(x: Value, skip: Value, weight: Value, epsilon: number): { normed: Value; sum: Value } {
    this.expectWidth('SkipSimplifiedLayerNormalization', x, weight);
    const [normed, , , sum] = this.op(
      microsoft,
      'SkipSimplifiedLayerNormalization',
      [x, skip, weight],
      { epsilon: float(epsilon) },
      [x, null, null, x],
    );
    return { normed, sum };
  }

  /** The same with mean and bias: `layerNormalization(x + skip)` and the sum. */
  skipLayerNormalization(x: Value, skip: Value, scale: Value, bias: Value, epsilon: number) {
    this.expectWidth('SkipLayerNormalization', x, scale);
    const [normed, , , sum] = this.op(
      microsoft,
      'SkipLayerNormalization',
      [x, skip, scale, bias],
      { epsilon: float(epsilon) },
      [x, null, null, x],
    );
    return { normed, sum };
  }

  /** `x · wᵀ + bias` with w in blocks. Accuracy level 4 multiplies in int8, the fast way on a CPU. */
  matMulNBits(
    x: Value,
    weight: BlockQuantized,
    bias: Value | null = null,
    accuracyLevel: 0 | 1 | 4 = 4,
  ): Value {
    const [rows, blocks] = weight.scales.shape;
    if (typeof rows !== 'number' || typeof blocks !== 'number')
      throw shapeMismatch(`MatMulNBits: the scales ${shapeText(weight.scales.shape)} are not [N, K/block]`);
    const inner = blocks * weight.blockSize;
    agree(
      dimensionAt(x.shape, -1, 'MatMulNBits'),
      inner,
      () => `MatMulNBits: ${shapeText(x.shape)} cannot be multiplied by [${inner}, ${rows}]`,
    );
    const attributes = {
      N: int(rows),
      K: int(inner),
      bits: int(weight.bits),
      block_size: int(weight.blockSize),
      accuracy_level: int(accuracyLevel),
    };
    const inputs = [x, weight.data, weight.scales, weight.zeroPoints, null, bias];
    const shape = [...x.shape.slice(0, -1), rows];
    const [y] = this.op(microsoft, 'MatMulNBits', inputs, attributes, [{ type: x.type, shape }]);
    return y;
  }

  /** Rows of a table kept in blocks: data u8 [rows, columns·bits/8], scales and zero points [rows, columns/block]. */
  gatherBlockQuantized(table: BlockQuantized, indices: Value): Value {
    const columns = knownDimension(table.scales.shape, 1, 'GatherBlockQuantized') * table.blockSize;
    const attributes = {
      bits: int(table.bits),
      block_size: int(table.blockSize),
      gather_axis: int(0),
      quantize_axis: int(1),
    };
    const inputs = [table.data, indices, table.scales, table.zeroPoints];
    const output = { type: table.scales.type, shape: [...indices.shape, columns] };
    const [y] = this.op(microsoft, 'GatherBlockQuantized', inputs, attributes, [output]);
    return y;
  }

  /** Causal attention with grouped keys and values, rotary positions and a cache. */
  groupQueryAttention(given: GroupQueryAttentionInputs): {
    y: Value;
    presentKey: Value;
    presentValue: Value;
  } {
    const { qkv, pastKey, pastValue, heads, kvHeads } = given;
    const headSize = knownDimension(pastKey.shape, 3, 'GroupQueryAttention');
    agree(
      dimensionAt(qkv.shape, 2, 'GroupQueryAttention'),
      (heads + 2 * kvHeads) * headSize,
      () =>
        `GroupQueryAttention: ${shapeText(qkv.shape)} is not ${heads} + 2 × ${kvHeads} heads of ${headSize}`,
    );
    const length = dimensionAt(qkv.shape, 1, 'GroupQueryAttention');
    const past = dimensionAt(pastKey.shape, 2, 'GroupQueryAttention');
    const present = {
      type: pastKey.type,
      shape: [1, kvHeads, plus(past, length), headSize],
    };
    const state = [pastKey, pastValue, given.lastPosition, given.totalLength];
    const inputs = [qkv, null, null, ...state, given.cosines, given.sines];
    const attributes = {
      num_heads: int(heads),
      kv_num_heads: int(kvHeads),
      do_rotary: int(given.cosines === null ? 0 : 1),
      ...(given.scale === undefined ? {} : { scale: float(given.scale) }),
      ...(given.window === undefined || given.window === null
        ? {}
        : { local_window_size: int(given.window) }),
    };
    const attended = { type: qkv.type, shape: [1, length, heads * headSize] };
    const outputs = [attended, present, present] as const;
    const [y, presentKey, presentValue] = this.op(
      microsoft,
      'GroupQueryAttention',
      inputs,
      attributes,
      outputs,
    );
    return { y, presentKey, presentValue };
  }

  /**
   * Rotates heads laid side by side, x [1, S, heads·headSize]; `first`: int64 [1], position of the first; tables [positions,
   * headSize/2], or narrower where only the first dimensions of a head are rotated: then `heads` must be given.
   */
  rotaryEmbedding(x: Value, first: Value, cosines: Value, sines: Value, heads: number | null = null): Value {
    const rotated = 2 * knownDimension(cosines.shape, 1, 'RotaryEmbedding');
    const attributes = heads === null ? {} : { num_heads: int(heads), rotary_embedding_dim: int(rotated) };
    const [y] = this.op(microsoft, 'RotaryEmbedding', [x, first, cosines, sines], attributes, [x]);
    return y;
  }

  /** `scale · a · bᵀ` for stacks of matrices a [B, M, K] and b [B, N, K]. */
  matMulTransposed(a: Value, b: Value, scale: number): Value {
    agree(
      dimensionAt(a.shape, -1, 'FusedMatMul'),
      dimensionAt(b.shape, -1, 'FusedMatMul'),
      () => `FusedMatMul: ${shapeText(a.shape)} cannot be multiplied by ${shapeText(b.shape)} turned`,
    );
    const shape = [...a.shape.slice(0, -1), dimensionAt(b.shape, -2, 'FusedMatMul')];
    const attributes = { transB: int(1), alpha: float(scale) };
    const [y] = this.op(microsoft, 'FusedMatMul', [a, b], attributes, [{ type: a.type, shape }]);
    return y;
  }

  /** Attention of queries [B, S, hidden] over keys and values, both [B, T, hidden] or both [B, heads, T, headSize], unmasked. */
  multiHeadAttention(query: Value, key: Value, value: Value, heads: number): Value {
    const inputs = [query, key, value];
    const [y] = this.op(microsoft, 'MultiHeadAttention', inputs, { num_heads: int(heads) }, [query]);
    return y;
  }

  /** `x · w + bias` with w int8 [K, N] and one scale for each column; x is quantised as it passes. */
  dynamicQuantizeMatMul(x: Value, weight: Value, scales: Value, bias: Value | null = null): Value {
    const inner = dimensionAt(weight.shape, 0, 'DynamicQuantizeMatMul');
    agree(
      dimensionAt(x.shape, -1, 'DynamicQuantizeMatMul'),
      inner,
      () => `DynamicQuantizeMatMul: ${shapeText(x.shape)} cannot be multiplied by ${shapeText(weight.shape)}`,
    );
    const shape = [...x.shape.slice(0, -1), dimensionAt(weight.shape, 1, 'DynamicQuantizeMatMul')];
    const inputs = [x, weight, scales, null, bias];
    const [y] = this.op(microsoft, 'DynamicQuantizeMatMul', inputs, {}, [{ type: x.type, shape }]);
    return y;
  }

  /** Computes one branch only. Both must give as many values, of the same types; they see everything outside. */
  if(
    condition: Value,
    then: (branch: Graph) => readonly Value[],
    otherwise: (branch: Graph) => readonly Value[],
  ): Value[] {
    const build = (name: string, body: (branch: Graph) => readonly Value[]) => {
      const branch = new Graph(this.freshName(name), this);
      const values = body(branch);
      for (const value of values) branch.output(this.freshName(`${name}.output`), value);
      return { graph: branch.finish(), values };
    };
    const yes = build('then', then);
    const no = build('else', otherwise);
    if (yes.values.map(({ type }) => type).join() !== no.values.map(({ type }) => type).join())
      throw shapeMismatch('If: the branches give different values');
    const graph = (value: GraphDefinition) => ({ kind: 'graph', value }) as const;
    const attributes = { then_branch: graph(yes.graph), else_branch: graph(no.graph) };
    return this.op('', 'If', [condition], attributes, yes.values);
  }
}
