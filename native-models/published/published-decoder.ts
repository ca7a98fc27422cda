import type { Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import { type DecoderLayout, decoderLayout, rowWidth } from './decoder-layout.ts';
import { floatsOf, floatTensor, integerTensor } from './element-types.ts';
import type { Past } from './past.ts';
import type { RunnableGraph } from './runnable-graph.ts';

/** The LLM's layers: vectors in, logits and longer keys and values out. */
export class PublishedDecoder {
  readonly layout: DecoderLayout;
  readonly #graph: RunnableGraph;

  /** Throws what `decoderLayout` throws. */
  constructor(graph: RunnableGraph) {
    this.#graph = graph;
    this.layout = decoderLayout(graph.inputs, graph.outputs);
  }

  /**
   * Reads the next positions behind `past`: `rows` [positions, rowWidth], each its vector and what goes with it. Gives the logits
   * [count, vocabulary] of the last `keep` positions, or of as many as the graph gives; 0 asks for all. `past` then holds them.
   */
  async run(rows: Float32Array, past: Past, keep: number): Promise<{ logits: Float32Array; count: number }> {
    const { layout } = this;
    const positions = rows.length / rowWidth(layout);
    const total = past.length + positions;
    const feeds = { ...past.feeds(), ...rowFeeds(layout, rows, positions) };
    const { attentionMask, positionIds, logitsToKeep, cacheBranch } = layout;
    if (attentionMask !== null)
      feeds.attention_mask = integerTensor(attentionMask, new Array<number>(total).fill(1), [1, total]);
    if (positionIds !== null) {
      const ids = Array.from({ length: positions }, (_, i) => past.length + i);
      feeds.position_ids = integerTensor(positionIds, ids, [1, positions]);
    }
    if (logitsToKeep !== null) feeds.num_logits_to_keep = integerTensor(logitsToKeep, [keep], []);
    if (cacheBranch !== null)
      feeds.use_cache_branch = integerTensor(cacheBranch, [past.length > 0 ? 1 : 0], [1]);
    const outputs = await this.#graph.run(feeds, ['logits', ...layout.pasts.map(({ present }) => present)]);
    past.accept(outputs, positions);
    return lastLogits(outputs.logits, keep);
  }
}

/** Vectors and per-layer inputs, which travel side by side in a row. */
function rowFeeds(layout: DecoderLayout, rows: Float32Array, positions: number): Record<string, Tensor> {
  const { hidden, perLayer, vectors } = layout;
  if (perLayer === null) return { inputs_embeds: floatTensor(vectors, rows, [1, positions, hidden]) };
  const beside = perLayer.layers * perLayer.size;
  const own = new Float32Array(positions * hidden);
  const layers = new Float32Array(positions * beside);
  for (let position = 0; position < positions; position++) {
    const from = position * (hidden + beside);
    own.set(rows.subarray(from, from + hidden), position * hidden);
    layers.set(rows.subarray(from + hidden, from + hidden + beside), position * beside);
  }
  return {
    inputs_embeds: floatTensor(vectors, own, [1, positions, hidden]),
    per_layer_inputs: floatTensor(perLayer.type, layers, [1, positions, perLayer.layers, perLayer.size]),
  };
}

function lastLogits(tensor: Tensor | undefined, keep: number): { logits: Float32Array; count: number } {
  const [, given = 0, vocabulary = 0] = tensor?.dims ?? [];
  if (tensor === undefined || given === 0 || vocabulary === 0)
    throw new ModelError(
      'bundle-invalid',
      'The decoder graph gives no logits [1, positions, vocabulary].',
      'Use a model in the layout of transformers.js.',
    );
  const count = keep === 0 ? given : Math.min(keep, given);
  return { logits: floatsOf(tensor).slice((given - count) * vocabulary), count };
}
