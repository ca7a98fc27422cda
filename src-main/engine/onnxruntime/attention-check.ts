import { Tensor } from 'onnxruntime-node';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import { plainRotary, rotaryTables } from '../../../native-models/layers/rotary.ts';
import type { Provider } from '../../contract/conversation.ts';
import { seededRandom } from '../random.ts';
import { withMadeGraph } from './made-graph.ts';
import { type Feeds, floats, Session } from './session.ts';

export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
}

export interface AttentionCheck {
  /** Positions that this device reads at once with the numbers that it gives for few; Infinity where any count is right. */
  readonly positionsAtOnce: number;
  /** Cosine between many positions at once and the same in small pieces. */
  readonly agreement: number;
}

const few = 16;
/** onnxruntime's WebGPU provider takes another way from 32 positions on, wrong where sub-groups are smaller than 16. */
const many = 48;
/** Rounding alone stays above 0.999999. */
const leastAgreement = 0.9999;

/** Attention of a model's shape, once over many positions at once and once over few at a time. Throws as sessions do. */
export async function checkAttention(
  shape: AttentionShape,
  provider: Provider,
  threads: number,
): Promise<AttentionCheck> {
  const session = await withMadeGraph(attentionGraph(shape), (path) =>
    Session.open('the attention check', path, { provider, threads, spin: false }),
  );
  try {
    const qkv = heard(shape);
    const agreement = cosineSimilarity(
      await attended(session, shape, qkv, many),
      await attended(session, shape, qkv, few),
    );
    return { agreement, positionsAtOnce: agreement >= leastAgreement ? Number.POSITIVE_INFINITY : few };
  } finally {
    await session.close();
  }
}

function attentionGraph({ heads, kvHeads, headSize }: AttentionShape): Graph {
  const graph = new Graph('attention');
  const rotary = rotaryTables(graph, 'rotary', many, plainRotary(headSize, 10_000));
  const { y, presentKey, presentValue } = graph.groupQueryAttention({
    qkv: graph.input('qkv', 'float32', [1, 'S', (heads + 2 * kvHeads) * headSize]),
    pastKey: graph.input('key', 'float32', [1, kvHeads, 'P', headSize]),
    pastValue: graph.input('value', 'float32', [1, kvHeads, 'P', headSize]),
    heads,
    kvHeads,
    lastPosition: graph.input('last', 'int32', [1]),
    totalLength: graph.input('total', 'int32', []),
    ...rotary,
  });
  graph.output('attended', y);
  graph.output('presentKey', presentKey);
  graph.output('presentValue', presentValue);
  return graph;
}

/** Queries, keys and values of `many` positions. */
function heard({ heads, kvHeads, headSize }: AttentionShape): Float32Array {
  const random = seededRandom(1);
  return Float32Array.from({ length: many * (heads + 2 * kvHeads) * headSize }, () => 2 * random() - 1);
}

/** What attention gives for all positions, read `step` at a time. */
async function attended(
  session: Session,
  { heads, kvHeads, headSize }: AttentionShape,
  qkv: Float32Array,
  step: number,
): Promise<Float32Array> {
  const width = (heads + 2 * kvHeads) * headSize;
  const all = new Float32Array(many * heads * headSize);
  let key = new Tensor('float32', new Float32Array(0), [1, kvHeads, 0, headSize]);
  let value = key;
  for (let at = 0; at < many; at += step) {
    const total = at + step;
    const feeds: Feeds = {
      qkv: new Tensor('float32', qkv.slice(at * width, total * width), [1, step, width]),
      last: new Tensor('int32', Int32Array.of(total - 1), [1]),
      total: new Tensor('int32', Int32Array.of(total), []),
      key,
      value,
    };
    const outputs = await session.run(feeds, ['attended', 'presentKey', 'presentValue']);
    all.set(floats(outputs, 'attended', session), at * heads * headSize);
    key = new Tensor('float32', floats(outputs, 'presentKey', session), [1, kvHeads, total, headSize]);
    value = new Tensor('float32', floats(outputs, 'presentValue', session), [1, kvHeads, total, headSize]);
  }
  return all;
}
