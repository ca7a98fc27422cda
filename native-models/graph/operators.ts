import { float, GraphCore, int, ints } from './core.ts';
import type { Value } from './definition.ts';
import { type ElementType, onnxTypeCode } from './element-types.ts';
import {
  agree,
  axisOf,
  broadcast,
  type Dimension,
  dimensionAt,
  knownDimension,
  matMulShape,
  over,
  plus,
  reshapeShape,
  shapeMismatch,
  shapeText,
  slicedLength,
  windowed,
} from './shape.ts';

export interface ConvOptions {
  readonly stride?: number;
  readonly padding?: readonly [number, number];
  readonly dilation?: number;
  readonly groups?: number;
}

/** The operators of the ONNX standard, opset 21, that the architectures need. Shapes are checked when the graph is built. */
export class StandardOperators extends GraphCore {
  add(a: Value, b: Value): Value {
    return this.#elementwise('Add', a, b);
  }

  sub(a: Value, b: Value): Value {
    return this.#elementwise('Sub', a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.#elementwise('Mul', a, b);
  }

  div(a: Value, b: Value): Value {
    return this.#elementwise('Div', a, b);
  }

  pow(a: Value, b: Value): Value {
    return this.#elementwise('Pow', a, b);
  }

  max(a: Value, b: Value): Value {
    return this.#elementwise('Max', a, b);
  }

  greater(a: Value, b: Value): Value {
    return this.#elementwise('Greater', a, b, 'bool');
  }

  where(condition: Value, a: Value, b: Value): Value {
    const shape = broadcast(condition.shape, broadcast(a.shape, b.shape, 'Where'), 'Where');
    const [y] = this.op('', 'Where', [condition, a, b], {}, [{ type: a.type, shape }]);
    return y;
  }

  sqrt(x: Value): Value {
    return this.#unary('Sqrt', x);
  }

  sigmoid(x: Value): Value {
    return this.#unary('Sigmoid', x);
  }

  relu(x: Value): Value {
    return this.#unary('Relu', x);
  }

  /** The exact form, with erf; `tanh` is the approximation of GPT-2 and Gemma. */
  gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
    const [y] = this.op('', 'Gelu', [x], { approximate: { kind: 'string', value: approximate } }, [x]);
    return y;
  }

  softmax(x: Value, axis = -1): Value {
    axisOf(x.shape, axis, 'Softmax');
    const [y] = this.op('', 'Softmax', [x], { axis: int(axis) }, [x]);
    return y;
  }

  matMul(a: Value, b: Value): Value {
    const [y] = this.op('', 'MatMul', [a, b], {}, [{ type: a.type, shape: matMulShape(a.shape, b.shape) }]);
    return y;
  }

  cast(x: Value, type: ElementType): Value {
    const [y] = this.op('', 'Cast', [x], { to: int(onnxTypeCode(type)) }, [{ type, shape: x.shape }]);
    return y;
  }

  gather(data: Value, indices: Value, axis = 0): Value {
    const at = axisOf(data.shape, axis, 'Gather');
    const shape = [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)];
    const [y] = this.op('', 'Gather', [data, indices], { axis: int(axis) }, [{ type: data.type, shape }]);
    return y;
  }

  /** `x[start:end]` along one axis, bounds known when the graph is built; negative ones count from the end, none is the end. */
  slice(x: Value, axis: number, start: number, end?: number): Value {
    const size = dimensionAt(x.shape, axis, 'Slice');
    const last = this.int64s([end ?? Number.MAX_SAFE_INTEGER]);
    return this.sliceAt(x, axis, this.int64s([start]), last, slicedLength(size, start, end));
  }

  /** `x[start:end]` along one axis with bounds, int64 [1], known when it runs; `length` names the size that results. */
  sliceAt(x: Value, axis: number, start: Value, end: Value, length: Dimension): Value {
    const at = axisOf(x.shape, axis, 'Slice');
    const shape = x.shape.map((size, i) => (i === at ? length : size));
    const inputs = [x, start, end, this.int64s([axis])];
    const [y] = this.op('', 'Slice', inputs, {}, [{ type: x.type, shape }]);
    return y;
  }

  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    if (first === undefined) throw shapeMismatch('Concat: nothing to put together');
    const at = axisOf(first.shape, axis, 'Concat');
    const shape = values.slice(1).reduce<Dimension[]>(
      (joined, { shape }) => {
        const fault = () =>
          `Concat: ${shapeText(shape)} does not follow ${shapeText(joined)} along axis ${axis}`;
        if (shape.length !== joined.length) throw shapeMismatch(fault());
        return joined.map((size, i) =>
          i === at ? plus(size, shape[i] ?? 0) : agree(size, shape[i] ?? 1, fault),
        );
      },
      [...first.shape],
    );
    const [y] = this.op('', 'Concat', values, { axis: int(axis) }, [{ type: first.type, shape }]);
    return y;
  }

  /** Parts of the given sizes along an axis. */
  split<const P extends readonly number[]>(x: Value, parts: P, axis: number): { [K in keyof P]: Value } {
    const at = axisOf(x.shape, axis, 'Split');
    const total = parts.reduce((sum, part) => sum + part, 0);
    if (knownDimension(x.shape, axis, 'Split') !== total)
      throw shapeMismatch(`Split: ${shapeText(x.shape)} along axis ${axis} is not ${parts.join(' + ')}`);
    const outputs = parts.map((part) => ({
      type: x.type,
      shape: x.shape.map((size, i) => (i === at ? part : size)),
    }));
    const values = this.op('', 'Split', [x, this.int64s(parts)], { axis: int(axis) }, outputs);
    // As many values as parts, which the compiler cannot follow through `map`.
    return values as { [K in keyof P]: Value };
  }

  /** ONNX's rule: 0 keeps the size at that place, -1 takes what is left. */
  reshape(x: Value, to: readonly number[]): Value {
    const shape = reshapeShape(x.shape, to);
    const [y] = this.op('', 'Reshape', [x, this.int64s(to)], {}, [{ type: x.type, shape }]);
    return y;
  }

  transpose(x: Value, order: readonly number[]): Value {
    if (order.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || order.length !== x.shape.length)
      throw shapeMismatch(`Transpose: ${order.join(', ')} is no order of ${shapeText(x.shape)}`);
    const shape = order.map((axis) => dimensionAt(x.shape, axis, 'Transpose'));
    const [y] = this.op('', 'Transpose', [x], { perm: ints(order) }, [{ type: x.type, shape }]);
    return y;
  }

  unsqueeze(x: Value, axis: number): Value {
    const shape: Dimension[] = [...x.shape];
    shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
    const [y] = this.op('', 'Unsqueeze', [x, this.int64s([axis])], {}, [{ type: x.type, shape }]);
    return y;
  }

  squeeze(x: Value, axis: number): Value {
    const at = axisOf(x.shape, axis, 'Squeeze');
    if (x.shape[at] !== 1) throw shapeMismatch(`Squeeze: axis ${axis} of ${shapeText(x.shape)} is not 1`);
    const shape = x.shape.toSpliced(at, 1);
    const [y] = this.op('', 'Squeeze', [x, this.int64s([axis])], {}, [{ type: x.type, shape }]);
    return y;
  }

  /** The sizes as int64: all of them, or those from `start` up to `end`. */
  shapeOf(x: Value, start = 0, end = x.shape.length): Value {
    const attributes = { start: int(start), end: int(end) };
    const [y] = this.op('', 'Shape', [x], attributes, [{ type: 'int64', shape: [end - start] }]);
    return y;
  }

  reduceSum(x: Value, axis: number): Value {
    return this.#reduce('ReduceSum', x, axis);
  }

  reduceMean(x: Value, axis: number): Value {
    return this.#reduce('ReduceMean', x, axis);
  }

  reduceL2(x: Value, axis: number): Value {
    return this.#reduce('ReduceL2', x, axis);
  }

  /** Index of the largest along an axis, which goes; the first of equals. */
  argMax(x: Value, axis: number): Value {
    const at = axisOf(x.shape, axis, 'ArgMax');
    const attributes = { axis: int(axis), keepdims: int(0) };
    const [y] = this.op('', 'ArgMax', [x], attributes, [{ type: 'int64', shape: x.shape.toSpliced(at, 1) }]);
    return y;
  }

  layerNormalization(x: Value, scale: Value, bias: Value | null, epsilon: number): Value {
    this.expectWidth('LayerNormalization', x, scale);
    const attributes = { axis: int(-1), epsilon: float(epsilon) };
    const [y] = this.op('', 'LayerNormalization', [x, scale, bias], attributes, [x]);
    return y;
  }

  /** RMS norm, `x / sqrt(mean(x²) + ε) · w`. ONNX Runtime keeps it in the standard's domain under this name. */
  norm(x: Value, weight: Value, epsilon: number): Value {
    this.expectWidth('SimplifiedLayerNormalization', x, weight);
    const attributes = { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) };
    const [y] = this.op('', 'SimplifiedLayerNormalization', [x, weight], attributes, [x]);
    return y;
  }

  /** 1-D convolution: x `[batch, in, length]`, weight `[out, in/groups, kernel]`, bias `[out]`. */
  conv(x: Value, weight: Value, bias: Value | null, options: ConvOptions = {}): Value {
    const { stride = 1, padding = [0, 0], dilation = 1, groups = 1 } = options;
    const fault = () =>
      `Conv: ${shapeText(weight.shape)} in ${groups} groups does not fit ${shapeText(x.shape)}`;
    if (x.shape.length !== 3 || weight.shape.length !== 3) throw shapeMismatch(fault());
    const kernel = knownDimension(weight.shape, 2, 'Conv');
    agree(over(x.shape[1] ?? 1, groups), weight.shape[1] ?? 1, fault);
    const length = windowed(x.shape[2] ?? 1, { kernel, stride, padding, dilation });
    const attributes = {
      kernel_shape: ints([kernel]),
      strides: ints([stride]),
      pads: ints(padding),
      dilations: ints([dilation]),
      group: int(groups),
    };
    const shape = [x.shape[0] ?? 1, weight.shape[0] ?? 1, length];
    const [y] = this.op('', 'Conv', [x, weight, bias], attributes, [{ type: x.type, shape }]);
    return y;
  }

  #elementwise(operator: string, a: Value, b: Value, type: ElementType = a.type): Value {
    if (a.type !== b.type) throw shapeMismatch(`${operator}: ${a.type} and ${b.type} do not go together`);
    const shape = broadcast(a.shape, b.shape, operator);
    const [y] = this.op('', operator, [a, b], {}, [{ type, shape }]);
    return y;
  }

  #unary(operator: string, x: Value): Value {
    const [y] = this.op('', operator, [x], {}, [x]);
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

  /** A weight for each element of the last axis. */
  protected expectWidth(operator: string, x: Value, weight: Value): void {
    agree(
      dimensionAt(x.shape, -1, operator),
      dimensionAt(weight.shape, -1, operator),
      () => `${operator}: weight ${shapeText(weight.shape)} does not fit ${shapeText(x.shape)}`,
    );
  }
}
