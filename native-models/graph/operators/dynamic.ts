import { int } from '../core.ts';
import type { Value } from '../definition.ts';
import { axisOf, type Dimension, type Shape } from '../shape.ts';
import { NeuralOperators } from './neural.ts';

/** Operators of the ONNX standard whose sizes are values of the running graph; the caller names what results. */
export class DynamicOperators extends NeuralOperators {
  /** int64 0, 1, … up to and without `count`, int64 [1]. */
  range(count: Value, length: Dimension): Value {
    return this.rangeFrom(this.int64s([0]), count, length);
  }

  /** int64 `start`, `start` + 1, … up to and without `end`, both int64 [1]. */
  rangeFrom(start: Value, end: Value, length: Dimension): Value {
    const bounds = [this.squeeze(start, 0), this.squeeze(end, 0), this.constant('int64', [], [1])];
    const [y] = this.op('', 'Range', bounds, {}, [{ type: 'int64', shape: [length] }]);
    return y;
  }

  /** `sizes`: int64 [rank]; a size of 1 is repeated, missing ones are added in front. */
  expand(x: Value, sizes: Value, shape: Shape): Value {
    const [y] = this.op('', 'Expand', [x, sizes], {}, [{ type: x.type, shape }]);
    return y;
  }

  /** `sizes`: int64 [rank], by the rules of `reshape`. */
  reshapeTo(x: Value, sizes: Value, shape: Shape): Value {
    const [y] = this.op('', 'Reshape', [x, sizes], {}, [{ type: x.type, shape }]);
    return y;
  }

  /** Where x is not zero, in its order: int64 [rank, count], an index for each axis; `count` names how many there are. */
  nonZero(x: Value, count: Dimension): Value {
    const [y] = this.op('', 'NonZero', [x], {}, [{ type: 'int64', shape: [x.shape.length, count] }]);
    return y;
  }

  /** Two pieces along an axis; `lengths`: int64 [2]. */
  splitAt(x: Value, lengths: Value, axis: number, sizes: readonly [Dimension, Dimension]): [Value, Value] {
    const at = axisOf(x.shape, axis, 'Split');
    const piece = (length: Dimension) => ({
      type: x.type,
      shape: x.shape.map((size, i) => (i === at ? length : size)),
    });
    const outputs = [piece(sizes[0]), piece(sizes[1])] as const;
    const [first, second] = this.op('', 'Split', [x, lengths], { axis: int(axis) }, outputs);
    return [first, second];
  }
}
