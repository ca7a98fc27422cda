import { Graph } from '../../graph/graph.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { adaptorSettings } from './fit.ts';
import { heardFrames } from './heard.ts';
import { frameNorm, qFormer, qFormerMatrices } from './q-former-layers.ts';
import { expectFit, qFormerFields, qFormerSettings } from './q-former-settings.ts';
import { qFormerWeights } from './q-former-weights.ts';

/** A fixed number of queries that look at the whole clip: BLIP-2's Q-Former, and SiM's in section 3.1. */
export const qFormerArchitecture: AdaptorArchitecture = {
  name: 'q-former',
  build: buildQFormer,
};

function buildQFormer(request: AdaptorRequest): BuiltAdaptor {
  const options = adaptorSettings(qFormerFields, request);
  const weights = qFormerWeights(request.weights, options.module);
  const hidden = expectFit(request, weights);
  const g = new Graph('q-former', request.target);
  const { first, second } = weights.frameNorms;
  const norms = { first: frameNorm(g, first), second: frameNorm(g, second) };
  const heard = heardFrames(g, request, norms);
  const y = qFormer(g, heard, weights, qFormerSettings(options, weights, request));
  g.output('adaptor', y);
  const tokens = { fixed: weights.queries.shape.at(-2) ?? 1 };
  const matrices = qFormerMatrices(weights);
  return { graph: g, hidden, stack: 1, tokens, selection: 'all', ctcTokens: [], matrices };
}
