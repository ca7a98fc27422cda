import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { chainedAdaptor } from './chained.ts';
import { adaptorSettings, expectLayers } from './fit.ts';
import { type Layer, moduleLayers } from './module-layers.ts';

const fields = { module: z.string().min(1).optional() };

/** One linear layer from the encoder's frames to the LLM's embeddings: the aligner of seed 002, section 2.1. */
export const linearArchitecture: AdaptorArchitecture = {
  name: 'linear',
  build: buildLinear,
};

function buildLinear(request: AdaptorRequest): BuiltAdaptor {
  const { module } = adaptorSettings(fields, request);
  const layers = linearLayers(request.weights, module);
  return chainedAdaptor('linear', request, layers, { activation: 'none', strides: [], padding: [] });
}

function linearLayers(weights: TensorSource, module?: string): readonly Layer[] {
  return expectLayers('linear', moduleLayers(weights, module), { matrices: [1, 1], convolutions: [0, 0] });
}
