import type { Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import { type DecoderLayout, rowWidth } from './decoder-layout.ts';
import { floatsOf, floatTensor, integerTensor } from './element-types.ts';
import { checkCounts, type Merging, mergeSound, soundPositions } from './merge-audio.ts';
import type { RunnableGraph } from './runnable-graph.ts';

/** The input by which an embedding graph takes sound, where it merges by itself. */
const merged = 'audio_features';

/** From ids and sound to what the decoder reads of each position. */
export class PublishedEmbedder {
  readonly #graph: RunnableGraph;
  readonly #layout: Pick<DecoderLayout, 'hidden' | 'perLayer'>;
  readonly #audioToken: number;
  readonly #merging: Merging;

  /** `audioToken` stands for one vector of sound in the ids. */
  constructor(
    graph: RunnableGraph,
    layout: Pick<DecoderLayout, 'hidden' | 'perLayer'>,
    audioToken: number,
    merging: Merging,
  ) {
    this.#graph = graph;
    this.#layout = layout;
    this.#audioToken = audioToken;
    this.#merging = merging;
  }

  /**
   * Rows [positions, rowWidth] of ids, `sound` [n, hidden] being merged in order at those of the audio token. Throws
   * `shape-mismatch` naming both counts when there are more or fewer.
   */
  async rows(ids: readonly number[], sound: Float32Array): Promise<Float32Array> {
    const { hidden, perLayer } = this.#layout;
    const positions = soundPositions(ids, this.#audioToken);
    checkCounts(positions.length, sound.length / hidden);
    const own = this.#graph.inputs.find(({ name }) => name === merged);
    const feeds: Record<string, Tensor> = { input_ids: this.#ids(ids) };
    if (own !== undefined) feeds[merged] = floatTensor(own.type, sound, this.#soundShape(own.shape, sound));
    const outputs = await this.#graph.run(
      feeds,
      perLayer === null ? ['inputs_embeds'] : ['inputs_embeds', 'per_layer_inputs'],
    );
    const vectors = this.#output(outputs, 'inputs_embeds', ids.length * hidden);
    const rows =
      perLayer === null ? Float32Array.from(vectors) : this.#besideLayers(vectors, outputs, ids.length);
    if (own === undefined) mergeSound(rows, rowWidth(this.#layout), positions, sound, hidden, this.#merging);
    return rows;
  }

  #ids(ids: readonly number[]): Tensor {
    const type = this.#graph.inputs.find(({ name }) => name === 'input_ids')?.type ?? 'int64';
    return integerTensor(type, ids, [1, ids.length]);
  }

  /** [n, hidden], with a batch before it where the graph wants one. */
  #soundShape(shape: ReadonlyArray<number | string>, sound: Float32Array): number[] {
    const { hidden } = this.#layout;
    const own = [sound.length / hidden, hidden];
    return shape.length === 3 ? [1, ...own] : own;
  }

  #besideLayers(
    vectors: Float32Array,
    outputs: Readonly<Record<string, Tensor>>,
    positions: number,
  ): Float32Array {
    const { hidden } = this.#layout;
    const width = rowWidth(this.#layout);
    const beside = width - hidden;
    const layers = this.#output(outputs, 'per_layer_inputs', positions * beside);
    const rows = new Float32Array(positions * width);
    for (let position = 0; position < positions; position++) {
      rows.set(vectors.subarray(position * hidden, (position + 1) * hidden), position * width);
      rows.set(layers.subarray(position * beside, (position + 1) * beside), position * width + hidden);
    }
    return rows;
  }

  #output(outputs: Readonly<Record<string, Tensor>>, name: string, size: number): Float32Array {
    const tensor = outputs[name];
    if (tensor !== undefined && tensor.size === size) return floatsOf(tensor);
    throw new ModelError(
      'bundle-invalid',
      `The embedding graph gave ${name} as [${tensor?.dims.join(', ')}]; ${size} values were expected.`,
      'Use the three graphs of one model together.',
    );
  }
}
