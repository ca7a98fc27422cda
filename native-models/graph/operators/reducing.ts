import { int } from '../core.ts';
import type { Value } from '../definition.ts';
import { axisOf } from '../shape.ts';
import { ShapingOperators } from './shaping.ts';

/** Many elements become one, along an axis. */
export class ReducingOperators extends ShapingOperators {
  reduceSum(x: Value, axis: number): Value {
    return this.#reduce('ReduceSum', x, axis);
  }

  reduceMean(x: Value, axis: number): Value {
    return this.#reduce('ReduceMean', x, axis);
  }

  reduceMax(x: Value, axis: number): Value {
    return this.#reduce('ReduceMax', x, axis);
  }

  reduceMin(x: Value, axis: number): Value {
    return this.#reduce('ReduceMin', x, axis);
  }

  reduceL2(x: Value, axis: number): Value {
    return this.#reduce('ReduceL2', x, axis);
  }

  /** Sums of all elements up to each one, itself among them. */
  cumSum(x: Value, axis: number): Value {
    const at = this.constant('int64', [], [axisOf(x.shape, axis, 'CumSum')]);
    const [y] = this.op('', 'CumSum', [x, at], {}, [x]);
    return y;
  }

  /** Index of the largest along an axis, which goes; the first of equals. */
  argMax(x: Value, axis: number): Value {
    const at = axisOf(x.shape, axis, 'ArgMax');
    const attributes = { axis: int(axis), keepdims: int(0) };
    const [y] = this.op('', 'ArgMax', [x], attributes, [{ type: 'int64', shape: x.shape.toSpliced(at, 1) }]);
    return y;
  }

  softmax(x: Value, axis = -1): Value {
    return this.#along('Softmax', x, axis);
  }

  logSoftmax(x: Value, axis = -1): Value {
    return this.#along('LogSoftmax', x, axis);
  }

  #along(operator: string, x: Value, axis: number): Value {
    axisOf(x.shape, axis, operator);
    const [y] = this.op('', operator, [x], { axis: int(axis) }, [x]);
    return y;
  }

  /** The axis stays, with size 1. */
  #reduce(operator: string, x: Value, axis: number): Value {
    const at = axisOf(x.shape, axis, operator);
    const shape = x.shape.map((size, i) => (i === at ? 1 : size));
    const attributes = { keepdims: int(1) };
    const [y] = this.op('', operator, [x, this.int64s([axis])], attributes, [{ type: x.type, shape }]);
    return y;
  }
}
