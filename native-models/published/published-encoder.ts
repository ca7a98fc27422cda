import type { Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import type { Features } from '../features/features.ts';
import { floatsOf, floatTensor, integerTensor } from './element-types.ts';
import type { HeardWindow, Hearing } from './hearing/hearing.ts';
import { type SoundOutput, soundOutput } from './merge-audio.ts';
import type { GraphPort, RunnableGraph } from './runnable-graph.ts';

/** The graph from a window's features to vectors in the LLM's space. */
export class PublishedEncoder {
  readonly #graph: RunnableGraph;
  readonly #hearing: Hearing;
  readonly #features: GraphPort;
  readonly #output: SoundOutput;

  /** Throws `not-supported` naming inputs that nobody would fill, `bundle-invalid` without vectors. */
  constructor(graph: RunnableGraph, hearing: Hearing) {
    this.#graph = graph;
    this.#hearing = hearing;
    const [features, ...others] = graph.inputs.filter(({ name }) => !name.endsWith('_mask'));
    if (features === undefined || others.length > 0)
      throw new ModelError(
        'not-supported',
        `The audio encoder graph takes ${graph.inputs.map(({ name }) => name).join(', ') || 'nothing'}; features and their mask are known.`,
        'Use a model of a known family, as transformers.js has it.',
      );
    this.#features = features;
    this.#output = soundOutput(graph.outputs.map(({ name }) => name));
  }

  /** Vectors [n, hidden] of a window. Throws `shape-mismatch` naming both counts when there are not as many as the family makes. */
  async encode({ features, tokens }: HeardWindow): Promise<Float32Array> {
    const feeds: Record<string, Tensor> = { [this.#features.name]: this.#input(features) };
    for (const { name, type } of this.#graph.inputs)
      if (name.endsWith('_mask'))
        feeds[name] = integerTensor(type, new Array<number>(features.frames).fill(1), [1, features.frames]);
    const { name: output } = this.#output;
    const outputs = await this.#graph.run(feeds, [output]);
    const vectors = outputs[output];
    const hidden = vectors?.dims.at(-1) ?? 0;
    if (vectors === undefined || hidden === 0)
      throw new ModelError(
        'bundle-invalid',
        `The audio encoder graph gives no ${output}.`,
        'Use a model in the layout of transformers.js.',
      );
    const count = vectors.size / hidden;
    if (!tokens.includes(count))
      throw new ModelError(
        'shape-mismatch',
        `The audio encoder made ${count} vectors of a window that should become ${tokens.join(' or ')}.`,
        'Use graphs and settings of one model together.',
      );
    return Float32Array.from(floatsOf(vectors));
  }

  #input({ data, mels, frames }: Features): Tensor {
    const { type } = this.#features;
    if (this.#hearing.order === 'bands-first') return floatTensor(type, data, [1, mels, frames]);
    const turned = new Float32Array(data.length);
    for (let mel = 0; mel < mels; mel++)
      for (let frame = 0; frame < frames; frame++)
        turned[frame * mels + mel] = data[mel * frames + frame] ?? 0;
    return floatTensor(type, turned, [1, frames, mels]);
  }
}
