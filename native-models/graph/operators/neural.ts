import { float, int, ints } from '../core.ts';
import type { Value } from '../definition.ts';
import {
  agree,
  type Dimension,
  dimensionAt,
  knownDimension,
  matMulShape,
  over,
  shapeMismatch,
  shapeText,
  windowed,
} from '../shape.ts';
import { ReducingOperators } from './reducing.ts';

/** A value for each axis that a window slides along; a single number or pair is meant for all of them. */
export interface ConvOptions {
  readonly stride?: number | readonly number[];
  /** `[before, after]`. */
  readonly padding?: readonly [number, number] | readonly (readonly [number, number])[];
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
}

/** Products, convolutions and normalisations of the ONNX standard, opset 21. */
export class NeuralOperators extends ReducingOperators {
  matMul(a: Value, b: Value): Value {
    if (a.type !== b.type) throw shapeMismatch(`MatMul: ${a.type} and ${b.type} do not go together`);
    const shape = matMulShape(a.shape, b.shape);
    const [y] = this.op('', 'MatMul', [a, b], {}, [{ type: a.type, shape }]);
    return y;
  }

  layerNormalization(x: Value, scale: Value, bias: Value | null, epsilon: number): Value {
    this.expectWidth('LayerNormalization', x, scale);
    const attributes = { axis: int(-1), epsilon: float(epsilon) };
    const [y] = this.op('', 'LayerNormalization', [x, scale, bias], attributes, [x]);
    return y;
  }

  /** Channels, axis 1, in groups of which each gets mean 0 and variance 1; `scale` and `bias`: [channels]. */
  groupNormalization(x: Value, groups: number, scale: Value, bias: Value, epsilon: number): Value {
    const channels = knownDimension(x.shape, 1, 'GroupNormalization');
    const fits = channels % groups === 0 && scale.shape[0] === channels && bias.shape[0] === channels;
    if (!fits)
      throw shapeMismatch(
        `GroupNormalization: ${groups} groups with weights ${shapeText(scale.shape)} do not fit ${shapeText(x.shape)}`,
      );
    const attributes = { num_groups: int(groups), epsilon: float(epsilon) };
    const [y] = this.op('', 'GroupNormalization', [x, scale, bias], attributes, [x]);
    return y;
  }

  /** With the statistics of training: `(x − mean) / sqrt(variance + ε) · scale + bias` for each channel, axis 1. */
  batchNormalization(
    x: Value,
    weights: Readonly<Record<'scale' | 'bias' | 'mean' | 'variance', Value>>,
    epsilon: number,
  ): Value {
    const { scale, bias, mean, variance } = weights;
    const channels = dimensionAt(x.shape, 1, 'BatchNormalization');
    for (const { shape } of [scale, bias, mean, variance])
      agree(
        channels,
        dimensionAt(shape, 0, 'BatchNormalization'),
        () => `BatchNormalization: weight ${shapeText(shape)} does not fit ${shapeText(x.shape)}`,
      );
    const inputs = [x, scale, bias, mean, variance];
    const [y] = this.op('', 'BatchNormalization', inputs, { epsilon: float(epsilon) }, [x]);
    return y;
  }

  /** 1-D or 2-D convolution: x `[batch, in, …length]`, weight `[out, in/groups, …kernel]`, bias `[out]`. */
  conv(x: Value, weight: Value, bias: Value | null, options: ConvOptions = {}): Value {
    const { groups = 1 } = options;
    const fault = () =>
      `Conv: ${shapeText(weight.shape)} in ${groups} groups does not fit ${shapeText(x.shape)}`;
    const axes = x.shape.length - 2;
    if (axes < 1 || axes > 2 || weight.shape.length !== axes + 2) throw shapeMismatch(fault());
    agree(over(x.shape[1] ?? 1, groups), weight.shape[1] ?? 1, fault);
    const windows = Array.from({ length: axes }, (_, axis) => ({
      kernel: knownDimension(weight.shape, 2 + axis, 'Conv'),
      stride: ofAxis(options.stride, axis, 1),
      dilation: ofAxis(options.dilation, axis, 1),
      padding: paddingOf(options.padding, axis),
    }));
    const lengths = windows.map((window, axis): Dimension => windowed(x.shape[2 + axis] ?? 1, window));
    const attributes = {
      kernel_shape: ints(windows.map(({ kernel }) => kernel)),
      strides: ints(windows.map(({ stride }) => stride)),
      pads: ints([0, 1].flatMap((side) => windows.map(({ padding }) => padding[side] ?? 0))),
      dilations: ints(windows.map(({ dilation }) => dilation)),
      group: int(groups),
    };
    const shape = [x.shape[0] ?? 1, weight.shape[0] ?? 1, ...lengths];
    const [y] = this.op('', 'Conv', [x, weight, bias], attributes, [{ type: x.type, shape }]);
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

function ofAxis(given: number | readonly number[] | undefined, axis: number, otherwise: number): number {
  return (typeof given === 'number' ? given : given?.[axis]) ?? otherwise;
}

function paddingOf(given: ConvOptions['padding'], axis: number): readonly [number, number] {
  const [first, second] = given ?? [];
  if (typeof first === 'number' && typeof second === 'number') return [first, second];
  const pair = given?.[axis];
  return typeof pair === 'object' ? pair : [0, 0];
}
