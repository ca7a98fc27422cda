import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AdaptorRequest } from './adaptor.ts';
import { padFrames } from './frames.ts';

/** What is done to each encoder's frames before they meet. */
export interface HeardNorms {
  readonly first: (x: Value) => Value;
  readonly second: (x: Value) => Value;
}

const unchanged: HeardNorms = { first: (x) => x, second: (x) => x };

/**
 * The adaptor's inputs as one row of frames [1, T, d], or [1, T, d + d2] with a second encoder: the shorter is filled with zeros
 * in time after its norm, then the two are put beside one another (SALMONN, section 3.1).
 */
export function heardFrames(
  g: Graph,
  { encoder, secondEncoder }: Pick<AdaptorRequest, 'encoder' | 'secondEncoder'>,
  norms: HeardNorms = unchanged,
): Value {
  const first = norms.first(g.input('encoder', 'float32', [1, 'frames', encoder.hidden]));
  if (secondEncoder === null) return first;
  const second = norms.second(g.input('secondEncoder', 'float32', [1, 'secondFrames', secondEncoder.hidden]));
  const longer = g.max(g.shapeOf(first, 1, 2), g.shapeOf(second, 1, 2));
  const together = [first, second].map((x) => padFrames(g, x, longer, 'longerFrames'));
  return g.concat(together, -1);
}

/** Width of a frame of all encoders together. */
export function heardWidth({
  encoder,
  secondEncoder,
}: Pick<AdaptorRequest, 'encoder' | 'secondEncoder'>): number {
  return encoder.hidden + (secondEncoder?.hidden ?? 0);
}
