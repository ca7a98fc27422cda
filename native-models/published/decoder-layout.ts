import type { Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import type { GraphPort } from './runnable-graph.ts';

/** One tensor of keys or values, by what the graph's input says of it. */
export interface PastPort {
  /** `past_key_values.N.key|value` */
  readonly name: string;
  /** The output that holds it with the new positions. */
  readonly present: string;
  readonly type: Tensor.Type;
  readonly heads: number;
  readonly headSize: number;
}

/** What a published decoder graph takes, read from the graph and from nothing else. */
export interface DecoderLayout {
  readonly pasts: readonly PastPort[];
  /** Type and width of `inputs_embeds`. */
  readonly vectors: Tensor.Type;
  readonly hidden: number;
  /** Gemma 3n's second input of each position: layers and values for each; null in other models. */
  readonly perLayer: { readonly type: Tensor.Type; readonly layers: number; readonly size: number } | null;
  /** Types of the whole-number inputs that it has. */
  readonly attentionMask: Tensor.Type | null;
  readonly positionIds: Tensor.Type | null;
  readonly logitsToKeep: Tensor.Type | null;
  readonly cacheBranch: Tensor.Type | null;
}

const wholeNumbers = {
  attentionMask: 'attention_mask',
  positionIds: 'position_ids',
  logitsToKeep: 'num_logits_to_keep',
  cacheBranch: 'use_cache_branch',
} as const;
const pastName = /^past_key_values\.(\d+)\.(key|value)$/;
const mostLayers = 512;

/** Throws `not-supported` naming inputs that nobody would fill, `bundle-invalid` where keys and values have no plain form. */
export function decoderLayout(inputs: readonly GraphPort[], outputs: readonly GraphPort[]): DecoderLayout {
  const ports = new Map(inputs.map((port) => [port.name, port]));
  const vectors = ports.get('inputs_embeds');
  if (vectors === undefined) throw unfit('takes no inputs_embeds');
  const perLayer = ports.get('per_layer_inputs');
  const pasts = inputs.filter(({ name }) => pastName.test(name)).map((port) => pastPort(port, outputs));
  if (pasts.length === 0 || pasts.length > 2 * mostLayers)
    throw unfit(`keeps ${pasts.length} tensors of keys and values`);
  const known = new Set<string>([
    'inputs_embeds',
    'per_layer_inputs',
    ...Object.values(wholeNumbers),
    ...pasts.map(({ name }) => name),
  ]);
  const unknown = inputs.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (unknown.length > 0)
    throw new ModelError(
      'not-supported',
      `The decoder graph wants inputs that are not known: ${unknown.join(', ')}.`,
      'Use a model whose decoder takes vectors, a mask, positions, and keys and values.',
    );
  return {
    pasts,
    vectors: vectors.type,
    hidden: sizeOf(vectors, 2),
    perLayer:
      perLayer === undefined
        ? null
        : { type: perLayer.type, layers: sizeOf(perLayer, 2), size: sizeOf(perLayer, 3) },
    attentionMask: ports.get(wholeNumbers.attentionMask)?.type ?? null,
    positionIds: ports.get(wholeNumbers.positionIds)?.type ?? null,
    logitsToKeep: ports.get(wholeNumbers.logitsToKeep)?.type ?? null,
    cacheBranch: ports.get(wholeNumbers.cacheBranch)?.type ?? null,
  };
}

/** Values of a position's vector and of what goes with it. */
export function rowWidth({ hidden, perLayer }: Pick<DecoderLayout, 'hidden' | 'perLayer'>): number {
  return hidden + (perLayer === null ? 0 : perLayer.layers * perLayer.size);
}

function pastPort(port: GraphPort, outputs: readonly GraphPort[]): PastPort {
  if (port.shape.length !== 4) throw unfit(`has no heads in ${port.name}`);
  const present = port.name.replace('past_key_values', 'present');
  if (!outputs.some(({ name }) => name === present)) throw unfit(`gives no ${present}`);
  return { name: port.name, present, type: port.type, heads: sizeOf(port, 1), headSize: sizeOf(port, 3) };
}

function sizeOf({ name, shape }: GraphPort, dimension: number): number {
  const size = shape[dimension];
  if (typeof size === 'number' && Number.isInteger(size) && size > 0 && size <= 1e7) return size;
  throw unfit(`does not say how large ${name} is in dimension ${dimension}`);
}

function unfit(what: string): ModelError {
  return new ModelError(
    'bundle-invalid',
    `The decoder graph ${what}.`,
    'Use a model in the layout of transformers.js.',
  );
}
