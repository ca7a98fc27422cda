import { int } from './core.ts';
import type { Value } from './definition.ts';
import { StandardOperators } from './operators.ts';
import { axisOf, type Dimension, type Shape } from './shape.ts';

/** Operators of the ONNX standard whose sizes are values of the running graph; the caller names what results. */
export class DynamicOperators extends StandardOperators {
  /** int64 0, 1, … up to and without `count`, int64 [1]. */
  range(count: Value, length: Dimension): Value {
    const end = this.squeeze(count, 0);
    const bounds = [this.constant('int64', [], [0]), end, this.constant('int64', [], [1])];
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
