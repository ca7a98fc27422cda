import { Graph } from '../../graph/graph.ts';
import { knownDimension } from '../../graph/shape.ts';
import type { AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { expectEncoderWidth, expectLlmWidth } from './fit.ts';
import { type Remainder, stackFrames } from './frames.ts';
import { heardFrames, heardWidth } from './heard.ts';
import { type ChainSettings, layerChain } from './layer-chain.ts';
import type { Layer } from './module-layers.ts';

/** Frames put beside one another before the first layer; 1 is none. */
export interface Stacking {
  readonly count: number;
  readonly remainder: Remainder;
}

const unstacked: Stacking = { count: 1, remainder: 'drop' };

/** An adaptor that is a row of layers and nothing else. Throws `shape-mismatch` when encoder or LLM do not fit it. */
export function chainedAdaptor(
  name: string,
  request: AdaptorRequest,
  layers: readonly Layer[],
  settings: Omit<ChainSettings, 'kind'>,
  stacking: Stacking = unstacked,
): BuiltAdaptor {
  const [first] = layers;
  const reads = first?.weight.shape[first.weight.shape.length === 1 ? 0 : 1] ?? 0;
  expectEncoderWidth(reads, heardWidth(request), stacking.count);
  const g = new Graph(name, request.target);
  const heard = stackFrames(g, heardFrames(g, request), stacking.count, stacking.remainder);
  const y = layerChain(g, heard, layers, { ...settings, kind: request.kind });
  const hidden = knownDimension(y.shape, 2, name);
  expectLlmWidth(hidden, request.llm);
  g.output('adaptor', y, [1, 'tokens', hidden]);
  const framesPerToken = settings.strides.reduce((product, stride) => product * stride, stacking.count);
  return {
    graph: g,
    hidden,
    stack: 1,
    tokens: { perSecond: request.encoder.framesPerSecond / framesPerToken },
    selection: 'all',
    ctcTokens: [],
    matrices: layers.map(({ weight }) => weight).filter(({ shape }) => shape.length > 1),
  };
}
