import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { float, int } from '../../graph/core.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { knownDimension, shapeMismatch } from '../../graph/shape.ts';
import { byteBlockWeight, type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight, matrixRows } from '../../layers/matrix-weights.ts';
import { feedForward, layerNorm, layerWeights } from './whisper.ts';
import { type WhisperSizes, whisperSizes } from './whisper-sizes.ts';

/** 8-bit blocks keep greedy transcripts as they are and halve the bytes that a token reads; every provider knows them. */
const kind = 'byte-blocks';

/**
 * Keys and values of the encoder's output, once for each clip: `encoder` f32 [1, T, d] → `cross.N.key|value` [1, heads, T,
 * headSize].
 */
export function whisperCrossAttention(source: TensorSource): Graph {
  const sizes = whisperSizes(source);
  const g = new Graph('whisper-cross');
  const encoded = g.input('encoder', 'float32', [1, 'T', sizes.hidden]);
  for (let layer = 0; layer < sizes.decoderLayers; layer++) {
    const [key, value] = crossKeysAndValues(g, source, encoded, `decoder/layer_${layer}/attention`, kind);
    for (const [part, projected] of Object.entries({ key, value })) {
      const heads = g.transpose(g.reshape(projected, [0, 0, sizes.heads, sizes.headSize]), [0, 2, 1, 3]);
      g.output(`cross.${layer}.${part}`, heads);
    }
  }
  return g;
}

/** Keys and values of the encoder's output [1, T, d] for one layer, [1, T, d] each. */
export function crossKeysAndValues(
  g: Graph,
  source: TensorSource,
  encoded: Value,
  name: string,
  kind: LinearKind,
): readonly [key: Value, value: Value] {
  const hidden = knownDimension(encoded.shape, -1, 'Whisper');
  const both = linear(g, encoded, layerWeights(source, `${name}/linear_1`), kind);
  return g.split(both, [hidden, hidden], 2);
}

/**
 * Whisper's decoder (Whisper, section 2.2) with a cache: `input_ids` i64 [1, S], `position` i64 [1] of the first id,
 * `past.N.key|value` [1, heads, P, headSize], `cross.N.key|value` → `logits` f32 [1, S, vocabulary], `present.N.key|value`.
 */
export function whisperDecoder(source: TensorSource): Graph {
  const sizes = whisperSizes(source);
  const g = new Graph('whisper-decoder');
  const ids = g.input('input_ids', 'int64', [1, 'S']);
  const position = g.input('position', 'int64', [1]);
  const caches = Array.from({ length: sizes.decoderLayers }, (_, layer) => cacheInputs(g, layer, sizes));
  const name = 'decoder/embeddings/weight';
  const table = byteBlockWeight(g, name, matrixRows(source.tensor(name)));
  const embedded = g.add(embed(g, table, ids, sizes), positions(g, source, ids, position));
  const mask = causalMask(g, ids, caches[0]?.pastKey);
  let x = embedded;
  caches.forEach((cache, layer) => {
    const name = `decoder/layer_${layer}`;
    x = selfAttention(g, source, x, { name, layer, cache, mask, sizes });
    const cross = [cache.crossKey, cache.crossValue] as const;
    x = crossAttention(g, source, x, `${name}/attention`, cross, sizes.heads, kind);
    x = feedForward(g, source, x, `${name}/ffn`, kind);
  });
  const normed = layerNorm(g, source, x, 'decoder/layer_norm');
  g.output('logits', g.matMulNBits(normed, table), [1, 'S', sizes.vocabulary]);
  return g;
}

interface LayerCache {
  readonly pastKey: Value;
  readonly pastValue: Value;
  readonly crossKey: Value;
  readonly crossValue: Value;
}

function cacheInputs(g: Graph, layer: number, { heads, headSize }: WhisperSizes): LayerCache {
  const cache = (name: string, length: string) => g.input(name, 'float32', [1, heads, length, headSize]);
  return {
    pastKey: cache(`past.${layer}.key`, 'P'),
    pastValue: cache(`past.${layer}.value`, 'P'),
    crossKey: cache(`cross.${layer}.key`, 'T'),
    crossValue: cache(`cross.${layer}.value`, 'T'),
  };
}

/** Rows of the output matrix serve as embeddings: taken out of their blocks with operators that every provider has. */
function embed(
  g: Graph,
  table: { readonly data: Value; readonly scales: Value },
  ids: Value,
  { hidden }: WhisperSizes,
): Value {
  const blocks = g.cast(g.gather(table.data, ids), 'float32');
  const centred = g.sub(blocks, g.constant('float32', [], [128]));
  const values = g.mul(centred, g.unsqueeze(g.gather(table.scales, ids), -1));
  return g.reshape(values, [0, 0, hidden]);
}

function positions(g: Graph, source: TensorSource, ids: Value, first: Value): Value {
  const name = 'decoder/position_encodings/encodings';
  const encodings: LazyTensor = source.tensor(name);
  const table = g.weight(name, floatWeight(encodings));
  return g.sliceAt(table, 0, first, g.add(first, g.shapeOf(ids, 1, 2)), 'S');
}

/** f32 [1, 1, S, P+S], to be added to the scores: a query sees what is in the cache, and the new ids up to itself. */
function causalMask(g: Graph, ids: Value, past: Value | undefined): Value {
  if (past === undefined) throw shapeMismatch('A Whisper decoder without layers');
  const scalar = (x: Value) => g.squeeze(x, 0);
  const [pastLength, length] = [scalar(g.shapeOf(past, 2, 3)), scalar(g.shapeOf(ids, 1, 2))];
  const total = g.add(pastLength, length);
  const [zero, one] = [g.constant('int64', [], [0]), g.constant('int64', [], [1])];
  const range = (start: Value, end: Value, size: string) =>
    g.op('', 'Range', [start, end, one], {}, [{ type: 'int64', shape: [size] }])[0];
  const columns = g.unsqueeze(range(zero, total, 'P+S'), 0);
  const rows = g.unsqueeze(range(pastLength, total, 'S'), 1);
  const hidden = g.where(
    g.greater(columns, rows),
    g.constant('float32', [], [-1e9]),
    g.constant('float32', [], [0]),
  );
  return g.unsqueeze(g.unsqueeze(hidden, 0), 0);
}

function selfAttention(
  g: Graph,
  source: TensorSource,
  x: Value,
  {
    name,
    layer,
    cache,
    mask,
    sizes,
  }: {
    name: string;
    layer: number;
    cache: LayerCache;
    mask: Value;
    sizes: WhisperSizes;
  },
): Value {
  const { hidden, heads, headSize } = sizes;
  const normed = layerNorm(g, source, x, `${name}/self_attention/layer_norm`);
  const qkv = linear(g, normed, layerWeights(source, `${name}/self_attention/linear_0`), kind);
  const [query = qkv, key = qkv, value = qkv] = g.split(qkv, [hidden, hidden, hidden], 2);
  const present = { type: 'float32', shape: [1, heads, 'P+S', headSize] } as const;
  const [attended, presentKey, presentValue] = g.op(
    'com.microsoft',
    'MultiHeadAttention',
    [query, key, value, null, null, mask, cache.pastKey, cache.pastValue],
    { num_heads: int(heads), mask_filter_value: float(-1e9) },
    [query, present, present],
  );
  g.output(`present.${layer}.key`, presentKey);
  g.output(`present.${layer}.value`, presentValue);
  return g.add(x, linear(g, attended, layerWeights(source, `${name}/self_attention/linear_1`), kind));
}

/** `x` and what it finds in the encoder's output; keys and values [1, T, d], or by heads [1, heads, T, headSize]. */
export function crossAttention(
  g: Graph,
  source: TensorSource,
  x: Value,
  name: string,
  [key, value]: readonly [key: Value, value: Value],
  heads: number,
  kind: LinearKind,
): Value {
  const normed = layerNorm(g, source, x, `${name}/layer_norm`);
  const query = linear(g, normed, layerWeights(source, `${name}/linear_0`), kind);
  const attended = g.multiHeadAttention(query, key, value, heads);
  return g.add(x, linear(g, attended, layerWeights(source, `${name}/linear_2`), kind));
}
