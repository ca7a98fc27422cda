import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { activationSchema } from './activation.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { chainedAdaptor } from './chained.ts';
import { adaptorSettings, expectLayers } from './fit.ts';
import { type Layer, moduleLayers } from './module-layers.ts';

/** What a recipe or LLaVA's configuration says of it. */
export const mlpFields = {
  module: z.string().min(1).optional(),
  activation: activationSchema.optional(),
  /** The same, as LLaVA's configuration names it. */
  projector_hidden_act: activationSchema.optional(),
};

/** Linear layers with an activation between them: the two-layer MLP of SiM, section 3.1, and LLaVA's projector. */
export const mlpArchitecture: AdaptorArchitecture = {
  name: 'mlp',
  build: buildMlp,
};

function buildMlp(request: AdaptorRequest): BuiltAdaptor {
  const settings = adaptorSettings(mlpFields, request);
  const activation = settings.activation ?? settings.projector_hidden_act ?? 'gelu';
  const layers = mlpLayers(request.weights, settings.module);
  return chainedAdaptor('mlp', request, layers, { activation, strides: [], padding: [] });
}

function mlpLayers(weights: TensorSource, module?: string): readonly Layer[] {
  return expectLayers('mlp', moduleLayers(weights, module), { matrices: [2, 8], convolutions: [0, 0] });
}
