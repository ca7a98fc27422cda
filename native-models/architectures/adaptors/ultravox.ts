import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { knownDimension } from '../../graph/shape.ts';
import { type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { activate, activationSchema } from './activation.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { adaptorSettings, expectEncoderWidth, expectLlmWidth } from './fit.ts';
import { stackFrames } from './frames.ts';
import { heardFrames, heardWidth } from './heard.ts';
import { firstOf, layerAt, prefixOf, requireTensor } from './tensor-names.ts';

/** What a recipe or Ultravox's configuration says of the projector. */
export const ultravoxFields = {
  /** Frames put beside one another; left out, as many as the first norm spans. */
  stack: z.number().int().min(1).max(1024).optional(),
  /** The same, as Ultravox's configuration names it. */
  stack_factor: z.number().int().min(1).max(1024).optional(),
  projector_act: z.union([z.literal('swiglu'), activationSchema]).default('swiglu'),
};

const epsilon = 1e-6;

/**
 * Ultravox's projector: frames filled with zeros to whole stacks and put beside one another → RMS norm → linear → SwiGLU →
 * linear. The second norm follows the SwiGLU from version 0.5 on (`ln_mid`) and stands at the very end before it (`ln_post`).
 */
export const ultravoxArchitecture: AdaptorArchitecture = {
  name: 'ultravox',
  build: buildUltravox,
};

function buildUltravox(request: AdaptorRequest): BuiltAdaptor {
  const { weights, encoder, kind } = request;
  const settings = adaptorSettings(ultravoxFields, request);
  const prefix = projectorPrefix(weights);
  const reads = weights.tensor(`${prefix}ln_pre.weight`).shape[0] ?? 0;
  const width = heardWidth(request);
  const count = settings.stack ?? settings.stack_factor ?? Math.max(1, Math.round(reads / width));
  expectEncoderWidth(reads, width, count);
  const second = ['ln_mid', 'ln_post'].map((name) => `${prefix}${name}.weight`);
  requireTensor(firstOf(weights, second), second.join(' or '));
  const g = new Graph('ultravox', request.target);
  const layer = (x: Value, name: string) => projectorLayer(g, x, weights, `${prefix}${name}`, kind);
  const stacked = layer(stackFrames(g, heardFrames(g, request), count, 'pad'), 'ln_pre');
  const wide = layer(stacked, 'linear_1');
  const active =
    settings.projector_act === 'swiglu' ? swiGlu(g, wide) : activate(g, wide, settings.projector_act);
  const projected = layer(layer(active, 'ln_mid'), 'linear_2');
  const hidden = knownDimension(projected.shape, 2, 'ultravox');
  expectLlmWidth(hidden, request.llm);
  g.output('adaptor', layer(projected, 'ln_post'), [1, 'tokens', hidden]);
  const tokens = { perSecond: encoder.framesPerSecond / count };
  const matrices = ['linear_1', 'linear_2'].map((name) => weights.tensor(`${prefix}${name}.weight`));
  return { graph: g, hidden, stack: 1, tokens, selection: 'all', ctcTokens: [], matrices };
}

/** What stands before the projector's names in a file. Throws `tensor-missing` where there is none. */
export function projectorPrefix(weights: TensorSource): string {
  const name = 'ln_pre.weight';
  const prefix = prefixOf(weights, `multi_modal_projector.${name}`);
  if (prefix !== null) return `${prefix}multi_modal_projector.`;
  const bare = prefixOf(weights, name);
  requireTensor(bare === null ? null : weights.tensor(`${bare}${name}`), `multi_modal_projector.${name}`);
  return bare ?? '';
}

/** The second half of the columns is the gate, as Ultravox lays them out. */
function swiGlu(g: Graph, x: Value): Value {
  const half = knownDimension(x.shape, 2, 'SwiGLU') / 2;
  const [value, gate] = g.split(x, [half, half], 2);
  return g.mul(activate(g, gate, 'silu'), value);
}

/** A norm or a linear layer; of the two places for the second norm, the one without a weight passes everything on. */
function projectorLayer(g: Graph, x: Value, weights: TensorSource, path: string, kind: LinearKind): Value {
  const name = `${path}.weight`;
  if (/ln_(mid|post)$/.test(path) && !weights.has(name)) return x;
  const { weight, bias } = layerAt(weights, `${path}.`);
  if (weight.shape.length === 1) return g.norm(x, g.weight(name, floatWeight(weight)), epsilon);
  return linear(g, x, { weight, bias }, kind);
}
