import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { shapeMismatch } from '../../graph/shape.ts';
import { activationSchema } from './activation.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { chainedAdaptor } from './chained.ts';
import { adaptorSettings, expectLayers } from './fit.ts';
import { type Layer, moduleLayers } from './module-layers.ts';

const frames = z.array(z.number().int().min(0).max(1024)).max(16);

const fields = {
  module: z.string().min(1).optional(),
  /** Frames from one output to the next, convolution after convolution; left out, 2 each: two make 4×, three 8×. */
  strides: frames.optional(),
  /** Frames of zeros to each side, convolution after convolution; left out, half the kernel, or none where kernel and stride are one. */
  padding: frames.optional(),
  activation: activationSchema.default('gelu'),
};

/**
 * A 1-D convolutional network along time that also shortens it (SiM, section 3.1: two layers for 4× and 8×, three for 8×), and
 * linear layers after it where the weights have them.
 */
export const convArchitecture: AdaptorArchitecture = {
  name: 'conv',
  build: buildConv,
};

function buildConv(request: AdaptorRequest): BuiltAdaptor {
  const { module, strides, padding, activation } = adaptorSettings(fields, request);
  const layers = convLayers(request.weights, module);
  const convolutions = layers.filter(({ weight }) => weight.shape.length === 3).length;
  for (const given of [strides, padding])
    if (given !== undefined && given.length !== convolutions)
      throw shapeMismatch(
        `The recipe speaks of ${given.length} convolutions, the weights have ${convolutions}`,
      );
  if (strides?.includes(0)) throw shapeMismatch('A convolution with a stride of 0 has no end');
  const usual = Array.from({ length: convolutions }, () => 2);
  return chainedAdaptor('conv', request, layers, { activation, strides: strides ?? usual, padding });
}

function convLayers(weights: TensorSource, module?: string): readonly Layer[] {
  return expectLayers('conv', moduleLayers(weights, module), { matrices: [0, 8], convolutions: [1, 16] });
}
