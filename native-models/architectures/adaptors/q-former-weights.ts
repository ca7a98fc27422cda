import { ModelError } from '../../errors.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { shapeText } from '../../graph/shape.ts';
import { firstOf, layerAt, requireTensor, type WeightAndBias } from './tensor-names.ts';

/** The parts of one attention of a Q-Former, self- or cross-: projections, and the norm after it. */
export interface AttentionWeights {
  readonly query: WeightAndBias;
  readonly key: WeightAndBias;
  readonly value: WeightAndBias;
  readonly output: WeightAndBias;
  readonly norm: WeightAndBias;
}

export interface QFormerLayerWeights {
  readonly selfAttention: AttentionWeights;
  /** Null in the layers that look at their queries alone. */
  readonly crossAttention: AttentionWeights | null;
  readonly intermediate: WeightAndBias;
  readonly output: WeightAndBias;
  readonly norm: WeightAndBias;
}

export interface QFormerWeights {
  /** [1, queries, width] or [queries, width]. */
  readonly queries: LazyTensor;
  readonly queryNorm: WeightAndBias | null;
  readonly layers: readonly QFormerLayerWeights[];
  /** To the LLM's width; null where the queries have it already. */
  readonly projection: WeightAndBias | null;
  readonly projectionNorm: WeightAndBias | null;
  /** Of the frames of the first and the second encoder, before anything else (SALMONN). */
  readonly frameNorms: { readonly first: WeightAndBias | null; readonly second: WeightAndBias | null };
}

const mostLayers = 64;
const firstQuery = /^(.*?)encoder\.layer\.0\.crossattention\.(?:self|attention)\.query\.weight$/;
const queryNames = ['speech_query_tokens', 'audio_query_tokens', 'query_tokens', 'queries', 'query'];
const projectionNames = [
  'speech_llama_proj',
  'audio_llama_proj',
  'language_projection',
  'projection',
  'proj',
  'linear',
];

/**
 * Finds a Q-Former among everything that a checkpoint holds, by the names of BERT, BLIP-2 and SALMONN, whatever module they are
 * wrapped in; `module` names the one that is meant where a file holds several. Throws `tensor-missing`, naming what it lacks.
 */
export function qFormerWeights(weights: TensorSource, module?: string): QFormerWeights {
  const inner = innerPrefix(weights, module);
  const around = parents(inner);
  const nearby = (names: readonly string[], end: string) =>
    firstOf(
      weights,
      around.flatMap((parent) => names.map((name) => `${parent}${name}${end}`)),
    );
  const pair = (names: readonly string[]): WeightAndBias | null => {
    const weight = nearby(names, '.weight');
    return weight === null ? null : layerAt(weights, weight.name.replace(/weight$/, ''));
  };
  const [hidden = 0] = weights.tensor(`${inner}encoder.layer.0.attention.output.dense.weight`).shape;
  return {
    queries: expectQueries(requireTensor(nearby(queryNames, ''), 'query tokens'), hidden),
    queryNorm:
      optionalLayer(weights, `${inner}embeddings.LayerNorm`) ?? optionalLayer(weights, `${inner}layernorm`),
    layers: layerWeights(weights, inner),
    projection: pair(projectionNames),
    projectionNorm: pair(['norm']),
    frameNorms: { first: pair(['ln_speech']), second: pair(['ln_audio']) },
  };
}

function innerPrefix(weights: TensorSource, module?: string): string {
  for (const name of weights.names()) {
    const prefix = firstQuery.exec(name)?.[1];
    const isMeant = module === undefined || `.${prefix}`.includes(`.${module}.`);
    if (prefix !== undefined && isMeant) return prefix;
  }
  throw new ModelError(
    'tensor-missing',
    `The file given for the adaptor has no ${module === undefined ? '' : `${module}…`}encoder.layer.0.crossattention: it holds no Q-Former.`,
    'Check `adaptor.architecture` and `adaptor.from` in the recipe.',
  );
}

/** `a.b.` → `a.b.`, `a.`, and the file itself: the nearest module first. */
function parents(prefix: string): string[] {
  const parts = prefix.split('.').slice(0, -1);
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    parts
      .slice(0, parts.length - up)
      .map((part) => `${part}.`)
      .join(''),
  );
}

function layerWeights(weights: TensorSource, inner: string): QFormerLayerWeights[] {
  const stem = `${inner}encoder.layer.`;
  const names = weights.names().filter((name) => name.startsWith(stem));
  const count = 1 + Math.max(...names.map((name) => Number.parseInt(name.slice(stem.length), 10) || 0));
  if (count > mostLayers)
    throw new ModelError(
      'not-supported',
      `The adaptor has ${count} layers; ${mostLayers} are taken.`,
      'Check the file.',
    );
  return Array.from({ length: count }, (_, layer) => {
    const own = names.filter((name) => name.startsWith(`${stem}${layer}.`));
    return oneLayer(weights, `${stem}${layer}`, own);
  });
}

function oneLayer(weights: TensorSource, stem: string, names: readonly string[]): QFormerLayerWeights {
  const has = (part: string) => names.some((name) => name.startsWith(`${stem}.${part}.`));
  const forQueries = has('intermediate_query') ? '_query' : '';
  return {
    selfAttention: attentionWeights(weights, `${stem}.attention`),
    crossAttention: has('crossattention') ? attentionWeights(weights, `${stem}.crossattention`) : null,
    intermediate: layerAt(weights, `${stem}.intermediate${forQueries}.dense.`),
    output: layerAt(weights, `${stem}.output${forQueries}.dense.`),
    norm: layerAt(weights, `${stem}.output${forQueries}.LayerNorm.`),
  };
}

/** BERT and SALMONN call the projections `self`, BLIP-2 in transformers `attention`. */
function attentionWeights(weights: TensorSource, stem: string): AttentionWeights {
  const inside = weights.has(`${stem}.self.query.weight`) ? `${stem}.self` : `${stem}.attention`;
  return {
    query: layerAt(weights, `${inside}.query.`),
    key: layerAt(weights, `${inside}.key.`),
    value: layerAt(weights, `${inside}.value.`),
    output: layerAt(weights, `${stem}.output.dense.`),
    norm: layerAt(weights, `${stem}.output.LayerNorm.`),
  };
}

function optionalLayer(weights: TensorSource, path: string): WeightAndBias | null {
  return weights.has(`${path}.weight`) ? layerAt(weights, `${path}.`) : null;
}

function expectQueries(queries: LazyTensor, hidden: number): LazyTensor {
  const [width, count, ...rest] = queries.shape.toReversed();
  if (width === hidden && count !== undefined && rest.every((size) => size === 1)) return queries;
  throw new ModelError(
    'shape-mismatch',
    `The query tokens ${queries.name} ${shapeText(queries.shape)} are not as wide as the Q-Former's layers, ${hidden}.`,
    'Check that the file holds one adaptor alone.',
  );
}
