import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';

/** Added to scores of what may not be seen: e to its power is zero. */
const unseen = -1e9;

/**
 * What a stream of sound may see: every frame its own block of frames, and all before it. Gives f32 [1, 1, S, S], to be added to
 * attention scores, for `frames` [1, S, hidden] of any length.
 */
export function blockCausalBias(g: Graph, frames: Value, blockFrames: number): Value {
  const length = frames.shape[1] ?? 1;
  const positions = g.range(g.shapeOf(frames, 1, 2), length);
  const blocks = g.div(positions, g.constant('int64', [], [blockFrames]));
  const later = g.greater(g.unsqueeze(blocks, 0), g.unsqueeze(blocks, 1));
  const bias = g.where(later, g.constant('float32', [], [unseen]), g.constant('float32', [], [0]));
  return g.unsqueeze(g.unsqueeze(bias, 0), 0);
}
