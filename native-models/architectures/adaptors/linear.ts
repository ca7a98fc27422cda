import { z } from 'zod';
import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor } from '../../formats/tensor-source.ts';
import { shapeMismatch } from '../../graph/shape.ts';
import { truncated } from '../../spectrum/truncated.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { chainedAdaptor } from './chained.ts';
import { adaptorSettings, expectLayers } from './fit.ts';
import { type Layer, moduleLayers } from './module-layers.ts';

const fields = {
  module: z.string().min(1).optional(),
  /** Keeps that many of the matrix's singular values, the largest (the transferable aligner, table 2). */
  rank: z.number().int().min(1).optional(),
};

/** One linear layer from the encoder's frames to the LLM's embeddings: the transferable aligner (section 2.1). */
export const linearArchitecture: AdaptorArchitecture = { name: 'linear', build: buildLinear };

function buildLinear(request: AdaptorRequest): BuiltAdaptor {
  const { module, rank } = adaptorSettings(fields, request);
  const found = moduleLayers(request.weights, module);
  const layers = expectLayers('linear', found, { matrices: [1, 1], convolutions: [0, 0] });
  const used = rank === undefined ? layers : layers.map((layer) => truncatedLayer(layer, rank));
  return chainedAdaptor('linear', request, used, { activation: 'none', strides: [], padding: [] });
}

function truncatedLayer(layer: Layer, rank: number): Layer {
  const { weight } = layer;
  if (weight.shape.length !== 2) return layer;
  if (rank > Math.min(...weight.shape))
    throw shapeMismatch(`${weight.name} [${weight.shape.join(', ')}] has no ${rank} singular values`);
  return { ...layer, weight: truncatedTensor(weight, rank) };
}

/** Computed once, however often a graph's writer asks for it. */
function truncatedTensor(weight: LazyTensor, rank: number): LazyTensor {
  const [rows = 0, columns = 0] = weight.shape;
  let values: Float32Array<ArrayBuffer> | null = null;
  return derivedTensor(weight.name, weight.shape, () => {
    values ??= truncated({ rows, columns, values: weight.float32() }, rank);
    return values;
  });
}
