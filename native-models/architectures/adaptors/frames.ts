import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Dimension, dimensionAt, knownDimension, over, plus } from '../../graph/shape.ts';

/** What becomes of the last frames that do not fill a group: `drop` leaves them off, `pad` fills the group with zeros. */
export type Remainder = 'drop' | 'pad';

/** x [1, T, C] → [1, groups, count·C]: frames beside one another, each in one group. */
export function stackFrames(g: Graph, x: Value, count: number, remainder: Remainder): Value {
  if (count === 1) return x;
  const width = knownDimension(x.shape, 2, 'Stacked frames');
  return g.reshape(wholeGroups(g, x, count, remainder), [0, -1, count * width]);
}

/**
 * x [1, T, C] → [windows, kernel, C]: a window every `stride` frames. Frames after the last whole window are left off, or the
 * clip is filled with zeros up to whole strides first; a clip shorter than a window has none.
 */
export function frameWindows(
  g: Graph,
  x: Value,
  { kernel, stride, remainder }: { kernel: number; stride: number; remainder: Remainder },
): Value {
  const width = knownDimension(x.shape, 2, 'Windows of frames');
  const whole = stride === kernel || remainder === 'pad' ? wholeGroups(g, x, stride, remainder) : x;
  if (stride === kernel) return g.reshape(whole, [-1, kernel, width]);
  const reach = g.sub(g.shapeOf(whole, 1, 2), g.int64s([kernel - stride]));
  // Whole-number division rounds towards zero: without the maximum, a clip that is too short would have a window or less than none.
  const count = g.div(g.max(reach, g.int64s([0])), g.int64s([stride]));
  const windows = over(dimensionAt(x.shape, 1, 'Windows of frames'), stride);
  const starts = g.mul(g.unsqueeze(g.range(count, windows), 1), g.int64s([stride]));
  const offsets = g.unsqueeze(g.range(g.int64s([kernel]), kernel), 0);
  const indices = g.add(starts, offsets);
  return g.squeeze(g.gather(whole, indices, 1), 0);
}

/** Fills x [1, T, C] with zeros up to `frames`, int64 [1]; `length` names the size that results. */
export function padFrames(g: Graph, x: Value, frames: Value, length: Dimension): Value {
  const missing = g.sub(frames, g.shapeOf(x, 1, 2));
  const pads = g.concat([g.int64s([0, 0, 0, 0]), missing, g.int64s([0])], 0);
  const shape = x.shape.map((size, axis) => (axis === 1 ? length : size));
  const [y] = g.op('', 'Pad', [x, pads], {}, [{ type: x.type, shape }]);
  return y;
}

/** Puts `frames` frames of zeros before x [1, T, C] and as many after it. */
export function padBothSides(g: Graph, x: Value, frames: number): Value {
  const length = plus(dimensionAt(x.shape, 1, 'Padded frames'), 2 * frames);
  const shape = x.shape.map((size, axis) => (axis === 1 ? length : size));
  const [y] = g.op('', 'Pad', [x, g.int64s([0, frames, 0, 0, frames, 0])], {}, [{ type: x.type, shape }]);
  return y;
}

function wholeGroups(g: Graph, x: Value, count: number, remainder: Remainder): Value {
  if (count === 1) return x;
  const length = dimensionAt(x.shape, 1, 'Groups of frames');
  const frames = g.shapeOf(x, 1, 2);
  const size = g.int64s([count]);
  if (remainder === 'drop') return g.sliceAt(x, 1, g.int64s([0]), g.mul(g.div(frames, size), size), length);
  const groups = g.div(g.add(frames, g.int64s([count - 1])), size);
  return padFrames(g, x, g.mul(groups, size), length);
}
