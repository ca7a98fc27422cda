import { join } from 'node:path';
import { withDataFile, writeModel } from '../../native-models/formats/onnx-writer.ts';
import type { Value, Weight } from '../../native-models/graph/definition.ts';
import { type BlockQuantized, Graph } from '../../native-models/graph/graph.ts';
import { plainRotary, rotaryTables } from '../../native-models/layers/rotary.ts';

/** The proportions of a small decoder, with fewer layers: large enough that a GPU's fixed cost does not decide alone. */
export const probeShape = {
  layers: 10,
  hidden: 576,
  feedForward: 1536,
  heads: 9,
  kvHeads: 3,
  headSize: 64,
  vocabulary: 8192,
  context: 256,
} as const;

const blockSize = 32;

/** The same bytes on every machine and in every process (xorshift32). */
function noise(seed: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let state = seed * 2_654_435_761 + 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

function filled(shape: readonly number[], value: number): Weight {
  const count = shape.reduce((product, size) => product * size, 1);
  return {
    type: 'float32',
    shape,
    read: () => new Uint8Array(new Float32Array(count).fill(value).buffer),
  };
}

/** A decoder step with made-up weights: fused attention with a cache, 4-bit matrices, norms, gates. */
class ProbeDecoder {
  readonly #graph = new Graph('probe');
  #matrices = 0;

  /** 4-bit weights of about unit gain. */
  #product(x: Value, inner: number, outer: number): Value {
    const g = this.#graph;
    const seed = ++this.#matrices;
    const blocks = inner / blockSize;
    const shape = [outer, blocks, blockSize / 2];
    const count = outer * blocks * (blockSize / 2);
    const weight: BlockQuantized = {
      bits: 4,
      blockSize,
      data: g.weight(`m${seed}.data`, { type: 'uint8', shape, read: () => noise(seed, count) }),
      scales: g.weight(`m${seed}.scales`, filled([outer, blocks], 0.2 / Math.sqrt(inner))),
      zeroPoints: null,
    };
    return g.matMulNBits(x, weight);
  }

  build() {
    const { layers, hidden, feedForward, heads, kvHeads, headSize, vocabulary, context } = probeShape;
    const g = this.#graph;
    let residual = g.input('inputs_embeds', 'float32', [1, 'S', hidden]);
    const lastPosition = g.input('seqlens_k', 'int32', [1]);
    const totalLength = g.input('total_sequence_length', 'int32', []);
    const past = g.input('past', 'float32', [1, kvHeads, 'P', headSize]);
    const { cosines, sines } = rotaryTables(g, 'rotary', context, plainRotary(headSize, 10_000));
    const norm = g.weight('norm', filled([hidden], 1));
    let x = g.norm(residual, norm, 1e-5);
    for (let layer = 0; layer < layers; layer++) {
      const qkv = this.#product(x, hidden, (heads + 2 * kvHeads) * headSize);
      const attended = g.groupQueryAttention({
        ...{ qkv, pastKey: past, pastValue: past, heads, kvHeads },
        ...{ lastPosition, totalLength, cosines, sines },
      });
      const middle = g.skipNorm(this.#product(attended.y, heads * headSize, hidden), residual, norm, 1e-5);
      const gate = this.#product(middle.normed, hidden, feedForward);
      const up = this.#product(middle.normed, hidden, feedForward);
      const fed = this.#product(g.mul(g.mul(gate, g.sigmoid(gate)), up), feedForward, hidden);
      ({ normed: x, sum: residual } = g.skipNorm(fed, middle.sum, norm, 1e-5));
    }
    g.output('logits', this.#product(x, hidden, vocabulary));
    return g.finish();
  }
}

/** Writes the graph that devices are tried with into a folder, and returns its path. */
export async function writeProbeGraph(folder: string): Promise<string> {
  const path = join(folder, 'probe.onnx');
  const graph = new ProbeDecoder().build();
  await withDataFile(`${path}.data`, (data) => writeModel(graph, path, data));
  return path;
}
