import { isDeepStrictEqual } from 'node:util';
import type { Graph } from '../graph/graph.ts';

/** Whether two graphs compute the same with weights of the same names, so that one of them will do. */
export function sameGraph(one: Graph, other: Graph): boolean {
  const [a, b] = [one.finish(), other.finish()];
  const names = ({ weights }: typeof a) => weights.map(({ name, type, shape }) => ({ name, type, shape }));
  return isDeepStrictEqual(a.nodes, b.nodes) && isDeepStrictEqual(names(a), names(b));
}
