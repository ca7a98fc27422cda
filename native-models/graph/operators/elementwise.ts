import { GraphCore, int, string } from '../core.ts';
import type { Value } from '../definition.ts';
import { type ElementType, onnxTypeCode } from '../element-types.ts';
import { broadcast, shapeMismatch } from '../shape.ts';

/** What happens to each element on its own. Two operands are stretched to one another by NumPy's rule. */
export class ElementwiseOperators extends GraphCore {
  add(a: Value, b: Value): Value {
    return this.#binary('Add', a, b);
  }

  sub(a: Value, b: Value): Value {
    return this.#binary('Sub', a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.#binary('Mul', a, b);
  }

  div(a: Value, b: Value): Value {
    return this.#binary('Div', a, b);
  }

  pow(a: Value, b: Value): Value {
    return this.#binary('Pow', a, b);
  }

  max(a: Value, b: Value): Value {
    return this.#binary('Max', a, b);
  }

  min(a: Value, b: Value): Value {
    return this.#binary('Min', a, b);
  }

  /** The remainder of integers, with the sign of the divisor. */
  mod(a: Value, b: Value): Value {
    return this.#binary('Mod', a, b);
  }

  greater(a: Value, b: Value): Value {
    return this.#binary('Greater', a, b, 'bool');
  }

  greaterOrEqual(a: Value, b: Value): Value {
    return this.#binary('GreaterOrEqual', a, b, 'bool');
  }

  less(a: Value, b: Value): Value {
    return this.#binary('Less', a, b, 'bool');
  }

  lessOrEqual(a: Value, b: Value): Value {
    return this.#binary('LessOrEqual', a, b, 'bool');
  }

  equal(a: Value, b: Value): Value {
    return this.#binary('Equal', a, b, 'bool');
  }

  and(a: Value, b: Value): Value {
    return this.#binary('And', this.#bool('And', a), b);
  }

  or(a: Value, b: Value): Value {
    return this.#binary('Or', this.#bool('Or', a), b);
  }

  not(x: Value): Value {
    return this.#unary('Not', this.#bool('Not', x));
  }

  bitwiseAnd(a: Value, b: Value): Value {
    return this.#binary('BitwiseAnd', a, b);
  }

  bitwiseOr(a: Value, b: Value): Value {
    return this.#binary('BitwiseOr', a, b);
  }

  bitwiseXor(a: Value, b: Value): Value {
    return this.#binary('BitwiseXor', a, b);
  }

  /** Unsigned `x` moved by `by` bits, of its own type. */
  bitShift(x: Value, by: Value, direction: 'LEFT' | 'RIGHT'): Value {
    if (x.type !== 'uint8') throw shapeMismatch(`BitShift: ${x.type} is not uint8`);
    const [y] = this.op('', 'BitShift', [x, by], { direction: string(direction) }, [
      { type: x.type, shape: broadcast(x.shape, by.shape, 'BitShift') },
    ]);
    return y;
  }

  where(condition: Value, a: Value, b: Value): Value {
    this.#bool('Where', condition);
    if (a.type !== b.type) throw shapeMismatch(`Where: ${a.type} and ${b.type} do not go together`);
    const shape = broadcast(condition.shape, broadcast(a.shape, b.shape, 'Where'), 'Where');
    const [y] = this.op('', 'Where', [condition, a, b], {}, [{ type: a.type, shape }]);
    return y;
  }

  sqrt(x: Value): Value {
    return this.#unary('Sqrt', x);
  }

  reciprocal(x: Value): Value {
    return this.#unary('Reciprocal', x);
  }

  neg(x: Value): Value {
    return this.#unary('Neg', x);
  }

  abs(x: Value): Value {
    return this.#unary('Abs', x);
  }

  exp(x: Value): Value {
    return this.#unary('Exp', x);
  }

  log(x: Value): Value {
    return this.#unary('Log', x);
  }

  sin(x: Value): Value {
    return this.#unary('Sin', x);
  }

  cos(x: Value): Value {
    return this.#unary('Cos', x);
  }

  erf(x: Value): Value {
    return this.#unary('Erf', x);
  }

  /** To the nearest whole number, halves to the even one. */
  round(x: Value): Value {
    return this.#unary('Round', x);
  }

  floor(x: Value): Value {
    return this.#unary('Floor', x);
  }

  ceil(x: Value): Value {
    return this.#unary('Ceil', x);
  }

  sigmoid(x: Value): Value {
    return this.#unary('Sigmoid', x);
  }

  tanh(x: Value): Value {
    return this.#unary('Tanh', x);
  }

  relu(x: Value): Value {
    return this.#unary('Relu', x);
  }

  /** `log(1 + exp(x))`. */
  softplus(x: Value): Value {
    return this.#unary('Softplus', x);
  }

  /** `x · sigmoid(x)`, also called swish. */
  silu(x: Value): Value {
    return this.mul(x, this.sigmoid(x));
  }

  /** Held within bounds; a missing one is none. */
  clip(x: Value, lowest: number | null, highest: number | null): Value {
    const bound = (value: number | null) => (value === null ? null : this.constant(x.type, [], [value]));
    const [y] = this.op('', 'Clip', [x, bound(lowest), bound(highest)], {}, [x]);
    return y;
  }

  cast(x: Value, type: ElementType): Value {
    const [y] = this.op('', 'Cast', [x], { to: int(onnxTypeCode(type)) }, [{ type, shape: x.shape }]);
    return y;
  }

  #bool(operator: string, x: Value): Value {
    if (x.type !== 'bool') throw shapeMismatch(`${operator}: ${x.type} is not bool`);
    return x;
  }

  #binary(operator: string, a: Value, b: Value, type: ElementType = a.type): Value {
    if (a.type !== b.type) throw shapeMismatch(`${operator}: ${a.type} and ${b.type} do not go together`);
    const shape = broadcast(a.shape, b.shape, operator);
    const inputs = [a, b];
    const [y] = this.op('', operator, inputs, {}, [{ type, shape }]);
    return y;
  }

  #unary(operator: string, x: Value): Value {
    const [y] = this.op('', operator, [x], {}, [x]);
    return y;
  }
}
