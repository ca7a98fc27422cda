import { int, ints, string } from '../core.ts';
import type { Value } from '../definition.ts';
import {
  agree,
  axisOf,
  type Dimension,
  dimensionAt,
  knownDimension,
  plus,
  reshapeShape,
  type Shape,
  shapeMismatch,
  shapeText,
  slicedLength,
  times,
} from '../shape.ts';
import { ElementwiseOperators } from './elementwise.ts';

/** Elements taken, put together and laid out anew. */
export class ShapingOperators extends ElementwiseOperators {
  gather(data: Value, indices: Value, axis = 0): Value {
    const at = axisOf(data.shape, axis, 'Gather');
    const shape = [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)];
    const [y] = this.op('', 'Gather', [data, indices], { axis: int(axis) }, [{ type: data.type, shape }]);
    return y;
  }

  /** `y[i][j] = data[i][indices[i][j]]` for axis 1, and so on: an index for each element that comes out. */
  gatherElements(data: Value, indices: Value, axis: number): Value {
    axisOf(data.shape, axis, 'GatherElements');
    if (indices.shape.length !== data.shape.length)
      throw shapeMismatch(
        `GatherElements: ${shapeText(indices.shape)} does not index ${shapeText(data.shape)}`,
      );
    const output = { type: data.type, shape: indices.shape };
    const [y] = this.op('', 'GatherElements', [data, indices], { axis: int(axis) }, [output]);
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
      (joined, { shape, type }) => {
        const fault = () =>
          `Concat: ${shapeText(shape)} does not follow ${shapeText(joined)} along axis ${axis}`;
        if (shape.length !== joined.length) throw shapeMismatch(fault());
        if (type !== first.type) throw shapeMismatch(`Concat: ${type} does not follow ${first.type}`);
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

  /** The whole repeated, so many times along each axis. */
  tile(x: Value, repeats: readonly number[]): Value {
    if (repeats.length !== x.shape.length)
      throw shapeMismatch(
        `Tile: ${shapeText(repeats)} does not say how often to repeat ${shapeText(x.shape)}`,
      );
    const shape = x.shape.map((size, i) => times(size, repeats[i] ?? 1));
    const [y] = this.op('', 'Tile', [x, this.int64s(repeats)], {}, [{ type: x.type, shape }]);
    return y;
  }

  /** Rows in front and behind along each axis, `[before, after]`; of `value`, or mirrored without the edge itself. */
  pad(
    x: Value,
    widths: readonly (readonly [number, number])[],
    fill: number | 'reflect' | 'edge' = 0,
  ): Value {
    if (widths.length !== x.shape.length)
      throw shapeMismatch(`Pad: ${widths.length} pairs of widths for ${shapeText(x.shape)}`);
    const shape = x.shape.map((size, i) => {
      const [before, after] = widths[i] ?? [0, 0];
      return plus(size, before + after);
    });
    const pads = this.int64s([...widths.map(([before]) => before), ...widths.map(([, after]) => after)]);
    return this.padTo(x, pads, fill, shape);
  }

  /** The same with widths known when it runs: int64 [2·rank], those before every axis and then those after. */
  padTo(x: Value, widths: Value, fill: number | 'reflect' | 'edge', shape: Shape): Value {
    const constant = typeof fill === 'number';
    const value = constant ? this.constant(x.type, [], [fill]) : null;
    const attributes = { mode: string(constant ? 'constant' : fill) };
    const [y] = this.op('', 'Pad', [x, widths, value], attributes, [{ type: x.type, shape }]);
    return y;
  }

  /** The sizes as int64: all of them, or those from `start` up to `end`. */
  shapeOf(x: Value, start = 0, end = x.shape.length): Value {
    const attributes = { start: int(start), end: int(end) };
    const [y] = this.op('', 'Shape', [x], attributes, [{ type: 'int64', shape: [end - start] }]);
    return y;
  }
}
