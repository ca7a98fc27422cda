import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { activationSchema } from './activation.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { chainedAdaptor } from './chained.ts';
import { adaptorSettings, expectLayers } from './fit.ts';
import { heardWidth } from './heard.ts';
import { type Layer, moduleLayers } from './module-layers.ts';

/** What a recipe says of it. */
export const stackFields = {
  module: z.string().min(1).optional(),
  /** Frames put beside one another; left out, as many as the first matrix reads. */
  stack: z.number().int().min(1).max(1024).optional(),
  /** The last frames that fill no stack: `drop`, as SLAM-LLM does, or `pad` with zeros. */
  remainder: z.enum(['drop', 'pad']).default('drop'),
  activation: activationSchema.default('relu'),
};

/**
 * n consecutive frames beside one another, then projected: by one matrix as in AudioChatLlama, section 3.1, or by two with ReLU between
 * them as in SLAM-LLM, as the weights have it.
 */
export const stackArchitecture: AdaptorArchitecture = {
  name: 'stack',
  build: buildStack,
};

function buildStack(request: AdaptorRequest): BuiltAdaptor {
  const { module, stack, remainder, activation } = adaptorSettings(stackFields, request);
  const layers = stackLayers(request.weights, module);
  const [first] = layers;
  const reads = first?.weight.shape.at(-1) ?? 0;
  const count = stack ?? Math.max(1, Math.round(reads / heardWidth(request)));
  const settings = { activation, strides: [], padding: [] };
  return chainedAdaptor('stack', request, layers, settings, { count, remainder });
}

function stackLayers(weights: TensorSource, module?: string): readonly Layer[] {
  return expectLayers('stack', moduleLayers(weights, module), { matrices: [1, 8], convolutions: [0, 0] });
}
