import { describe, expect, it } from 'vitest';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import type { LoraRequest } from '../../../native-models/architectures/llms/llm.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import { halfToFloat32 } from '../../../native-models/formats/half-precision.ts';
import type { TensorSource } from '../../../native-models/formats/tensor-source.ts';
import { roundToBytes, roundToNibbles } from '../../../native-models/layers/forms/rounded-blocks.ts';
import { golden, goldenConfig, goldenLogits } from '../../fixtures/llms/golden.ts';
import { ggufMetadata, ggufTensors, writeGguf } from '../../fixtures/llms/tiny-gguf.ts';
import { tinyLora, tinyWeights } from '../../fixtures/llms/tiny-weights.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { deviceReader, OpenModel, rowsReader } from './open-model.ts';
import { buildTiny, readInPieces, singly } from './tiny-model.ts';

/** Cosine of the logits of all positions together, in the worse of the two forms. */
async function likeness(model: OpenModel, expected: readonly Float32Array[]): Promise<number> {
  const all = (logits: readonly Float32Array[]) => logits.flatMap((row) => [...row]);
  const readers = [await rowsReader(model, 0, 32), await deviceReader(model, 0)];
  let least = 1;
  for (const reader of readers)
    least = Math.min(least, cosineSimilarity(all(await readInPieces(reader, singly)), all(expected)));
  await model.close();
  return least;
}

/** The same weights, every matrix rounded as a build with `q4` rounds it. */
function rounded(weights: TensorSource): TensorSource {
  return {
    ...weights,
    tensor(name) {
      const tensor = weights.tensor(name);
      if (tensor.shape.length !== 2) return tensor;
      const whole = /embed_tokens|lm_head/.test(name);
      return derivedTensor(name, tensor.shape, () => {
        const { levels, scales } = (whole ? roundToBytes : roundToNibbles)(tensor.float32());
        const steps = halfToFloat32(scales);
        return Float32Array.from(levels, (level, i) => (level - (whole ? 128 : 8)) * (steps[i >> 5] ?? 0));
      });
    },
  };
}

describe('rounded weights', () => {
  for (const { name, config } of golden.cases) {
    it(`${name} in 8 bits gives the logits of transformers`, async () => {
      const model = await buildTiny(config, { quantize: 'q8' });
      expect(await likeness(model, goldenLogits(name))).toBeGreaterThan(0.999);
    });

    it(`${name} in 4 bits gives the logits of the model with those weights`, async () => {
      const exact = await buildTiny(config, { weights: rounded(tinyWeights(config)) });
      const expected = await readInPieces(await rowsReader(exact, 0, 32), singly);
      await exact.close();
      const model = await buildTiny(config, { quantize: 'q4' });
      expect(await likeness(model, expected)).toBeGreaterThan(0.999);
    });
  }
});

describe('a GGUF file in blocks of 8 bits', () => {
  const { rank, alpha, targets } = golden.lora;

  async function fromBlocks(
    name: string,
    architecture: string,
    lora: LoraRequest | null,
  ): Promise<OpenModel> {
    const config = goldenConfig(name);
    const metadata = ggufMetadata(architecture, config, {
      ...{ 'rope.freq_base': { float: 10_000 }, 'attention.layer_norm_rms_epsilon': { float: 1e-5 } },
      ...(architecture === 'phi3' && { 'attention.sliding_window': 9 }),
    });
    using gguf = new Gguf(writeGguf(metadata, ggufTensors(config), 'Q8_0'));
    const folder = temporaryFolder();
    const built = await buildLlm({
      ...{ weights: gguf, sourceFolder: folder, architecture: null, quantize: 'keep', target: 'cpu', folder },
      lora,
    });
    return new OpenModel(folder, built, { intraOpNumThreads: 1 });
  }

  for (const [name, architecture] of [
    ['llama', 'llama'],
    ['phi3', 'phi3'],
  ] as const) {
    it(`${name}: its very values`, async () => {
      const model = await fromBlocks(name, architecture, null);
      expect(await likeness(model, goldenLogits(name))).toBeGreaterThan(0.999);
    });

    it(`${name}: a LoRA is added to what the blocks hold, whatever the order of their rows`, async () => {
      const tensors = tinyLora(goldenConfig(name), targets[name] ?? []);
      const model = await fromBlocks(name, architecture, { tensors, rank, alpha, merged: true });
      expect(model.built.llm.lora).toBeNull();
      expect(await likeness(model, goldenLogits(`${name}, LoRA 1.0`))).toBeGreaterThan(0.999);
    });
  }
});
