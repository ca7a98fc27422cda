import { float, int } from '../core.ts';
import type { Value } from '../definition.ts';
import { agree, dimensionAt, knownDimension, shapeMismatch, shapeText } from '../shape.ts';
import { FusedNormalizations } from './normalizations.ts';

const microsoft = 'com.microsoft';

/** A weight matrix in blocks along its inner dimension K, as MatMulNBits wants it: `[N, K/block, block·bits/8]`. */
export interface BlockQuantized {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly data: Value;
  /** f32 [N, K/block]. */
  readonly scales: Value;
  /** u8 packed, or, of 4 bits, f32 [N, K/block]; null is 2^(bits−1). */
  readonly zeroPoints: Value | null;
}

/** Products with quantised matrices, and with transposed ones. */
export class FusedProducts extends FusedNormalizations {
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
    if (!this.has(`MatMulNBits${weight.bits}`)) {
      const y = this.matMul(x, this.transpose(this.#multipliedOut(weight), [1, 0]));
      return bias === null ? y : this.add(y, bias);
    }
    const attributes = {
      N: int(rows),
      K: int(inner),
      bits: int(weight.bits),
      block_size: int(weight.blockSize),
      accuracy_level: int(accuracyLevel),
    };
    // DirectML's takes no bias.
    const within = this.target === 'directml' ? null : bias;
    const inputs = [x, weight.data, weight.scales, weight.zeroPoints, null, within];
    const shape = [...x.shape.slice(0, -1), rows];
    const [y] = this.op(microsoft, 'MatMulNBits', inputs, attributes, [{ type: x.type, shape }]);
    return bias === null || within !== null ? y : this.add(y, bias);
  }

  /** Rows of a table kept in blocks: data u8 [rows, columns·bits/8], scales and zero points [rows, columns/block]. */
  gatherBlockQuantized(table: BlockQuantized, indices: Value): Value {
    const { bits, blockSize, data, scales, zeroPoints } = table;
    const columns = knownDimension(scales.shape, 1, 'GatherBlockQuantized') * blockSize;
    if (!this.has('GatherBlockQuantized')) {
      const flat = this.reshape(indices, [-1]);
      const rowsOf = (value: Value) => this.gather(value, flat, 0);
      const rows = this.#multipliedOut({
        ...{ bits, blockSize, data: rowsOf(data), scales: rowsOf(scales) },
        zeroPoints: zeroPoints && rowsOf(zeroPoints),
      });
      const sizes = this.concat([this.shapeOf(indices), this.int64s([columns])], 0);
      return this.reshapeTo(rows, sizes, [...indices.shape, columns]);
    }
    const attributes = {
      bits: int(bits),
      block_size: int(blockSize),
      gather_axis: int(0),
      quantize_axis: int(1),
    };
    const inputs = [data, indices, scales, zeroPoints];
    const output = { type: scales.type, shape: [...indices.shape, columns] };
    const [y] = this.op(microsoft, 'GatherBlockQuantized', inputs, attributes, [output]);
    return y;
  }

  /** `scale · a · bᵀ` for stacks of matrices a [B, M, K] and b [B, N, K]. */
  matMulTransposed(a: Value, b: Value, scale: number): Value {
    agree(
      dimensionAt(a.shape, -1, 'FusedMatMul'),
      dimensionAt(b.shape, -1, 'FusedMatMul'),
      () => `FusedMatMul: ${shapeText(a.shape)} cannot be multiplied by ${shapeText(b.shape)} turned`,
    );
    if (!this.has('FusedMatMul')) {
      const axes = b.shape.map((_, axis) => axis);
      const turned = this.transpose(b, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
      const y = this.matMul(a, turned);
      return scale === 1 ? y : this.mul(y, this.constant(a.type, [], [scale]));
    }
    const shape = [...a.shape.slice(0, -1), dimensionAt(b.shape, -2, 'FusedMatMul')];
    const attributes = { transB: int(1), alpha: float(scale) };
    const [y] = this.op(microsoft, 'FusedMatMul', [a, b], attributes, [{ type: a.type, shape }]);
    return y;
  }

  /**
   * `x · w + bias` with w int8 [K, N] and one scale for each column; x is quantised as it passes. Targets that cannot keep x in
   * single precision.
   */
  dynamicQuantizeMatMul(x: Value, weight: Value, scales: Value, bias: Value | null = null): Value {
    const inner = dimensionAt(weight.shape, 0, 'DynamicQuantizeMatMul');
    agree(
      dimensionAt(x.shape, -1, 'DynamicQuantizeMatMul'),
      inner,
      () => `DynamicQuantizeMatMul: ${shapeText(x.shape)} cannot be multiplied by ${shapeText(weight.shape)}`,
    );
    if (!this.has('DynamicQuantizeMatMul')) {
      const y = this.matMul(x, this.mul(this.cast(weight, x.type), scales));
      return bias === null ? y : this.add(y, bias);
    }
    const shape = [...x.shape.slice(0, -1), dimensionAt(weight.shape, 1, 'DynamicQuantizeMatMul')];
    const inputs = [x, weight, scales, null, bias];
    const [y] = this.op(microsoft, 'DynamicQuantizeMatMul', inputs, {}, [{ type: x.type, shape }]);
    return y;
  }

  /** The bits' numbers, one to an element: data u8 [..., bytes] → [..., bytes·8/bits]. Low bits come first. */
  unpackNibbles(data: Value): Value {
    const four = this.constant('uint8', [], [4]);
    const low = this.bitwiseAnd(data, this.constant('uint8', [], [15]));
    const high = this.bitShift(data, four, 'RIGHT');
    const pairs = this.concat([this.unsqueeze(low, -1), this.unsqueeze(high, -1)], -1);
    return this.reshape(pairs, [...data.shape.slice(0, -1).map(() => 0), -1]);
  }

  /** Blocks as single precision [N, K]. */
  #multipliedOut({ bits, blockSize, data, scales, zeroPoints }: BlockQuantized): Value {
    const blocks = knownDimension(scales.shape, 1, 'blocks');
    const inBlocks = (x: Value) => this.reshape(this.cast(x, scales.type), [-1, blocks, blockSize]);
    const numbers = (x: Value) => (bits === 4 ? this.unpackNibbles(x) : x);
    const levels = inBlocks(numbers(data));
    const zero =
      zeroPoints === null
        ? this.constant(scales.type, [], [2 ** (bits - 1)])
        : this.unsqueeze(this.#zeroPointOfBlocks(zeroPoints, scales, numbers), -1);
    const values = this.mul(this.sub(levels, zero), this.unsqueeze(scales, -1));
    return this.reshape(values, [-1, blocks * blockSize]);
  }

  /** Packed zero points fill up whole bytes in each row. */
  #zeroPointOfBlocks(zeroPoints: Value, scales: Value, numbers: (x: Value) => Value): Value {
    if (zeroPoints.type !== 'uint8') return zeroPoints;
    const blocks = knownDimension(scales.shape, 1, 'blocks');
    return this.slice(this.cast(numbers(zeroPoints), scales.type), 1, 0, blocks);
  }
}
