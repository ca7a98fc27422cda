import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { type OutputTensor, writeSafetensors } from '../../../native-models/formats/safetensors-writer.ts';
import type { LinearKind } from '../../../native-models/layers/linear.ts';

const config = {
  adaptor: { din: 16, k: 2, d: 32, dl: 8, blocks: 1, ctx: 1, ff: 32 },
  mode: 'compress',
  vocab: [3, 0, 5],
};
const shapes: Record<string, number[]> = {
  'adaptor.inn.g': [16],
  'adaptor.stack.weight': [32, 32],
  'adaptor.stack.bias': [32],
  'adaptor.blocks.0.n1.g': [32],
  'adaptor.blocks.0.dw.weight': [32, 1, 3],
  'adaptor.blocks.0.dw.bias': [32],
  'adaptor.blocks.0.pw.weight': [32, 32],
  'adaptor.blocks.0.pw.bias': [32],
  'adaptor.blocks.0.n2.g': [32],
  'adaptor.blocks.0.w1.weight': [64, 32],
  'adaptor.blocks.0.w2.weight': [32, 32],
  'adaptor.nf.g': [32],
  'adaptor.out.weight': [8, 32],
  'adaptor.out.bias': [8],
  'adaptor.blank.weight': [1, 32],
  'adaptor.blank.bias': [1],
  'adaptor.scale': [],
  'adaptor.tau': [],
  'ctc.bias': [3],
};

let folder: string;
let weights: Safetensors;
let llm: Safetensors;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-adaptor-'));
  const tensors: Record<string, OutputTensor> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    tensors[name] = {
      shape,
      data: Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + name.length)),
    };
  }
  tensors['adaptor.scale'] = { shape: [], data: Float32Array.of(2.5) };
  tensors['adaptor.tau'] = { shape: [], data: Float32Array.of(10) };
  await writeSafetensors(join(folder, 'adaptor.safetensors'), tensors);
  const table = Float32Array.from({ length: 6 * 8 }, (_, i) => Math.cos(i * 2.3));
  await writeSafetensors(join(folder, 'llm.safetensors'), { table: { shape: [6, 8], data: table } });
  weights = new Safetensors(join(folder, 'adaptor.safetensors'));
  llm = new Safetensors(join(folder, 'llm.safetensors'));
});
afterAll(() => {
  weights.close();
  llm.close();
  rmSync(folder, { recursive: true });
});

function build(change: object = {}, embeddings = llm.tensor('table'), kind: LinearKind = 'float') {
  return adaptorArchitecture('stack-conv-ctc').build({
    weights,
    config: { ...config, ...change },
    options: {},
    encoder: { hidden: 16, framesPerSecond: 50 },
    secondEncoder: null,
    llm: { hidden: 8, embeddings },
    kind,
    target: 'cpu',
  });
}

async function run(kind: LinearKind, frames: number) {
  const graph = join(folder, `${kind}.onnx`);
  await withDataFile(join(folder, `${kind}.data`), (data) =>
    writeModel(build({}, llm.tensor('table'), kind).graph.finish(), graph, data),
  );
  const session = await InferenceSession.create(graph);
  const encoder = Float32Array.from({ length: frames * 16 }, (_, i) => Math.sin(i * 0.9) * 3);
  const outputs = await session.run({ encoder: new Tensor('float32', encoder, [1, frames, 16]) });
  await session.release();
  return outputs;
}

describe('the stack-conv-ctc adaptor', () => {
  it('gives one vector of the trained length, and one label, for each stack of frames', async () => {
    const { adaptor, labels } = await run('float', 10);
    expect(adaptor?.dims).toEqual([1, 5, 8]);
    expect(labels?.dims).toEqual([1, 5]);
    const vectors = adaptor?.data as Float32Array;
    for (let frame = 0; frame < 5; frame++)
      expect(Math.hypot(...vectors.subarray(frame * 8, frame * 8 + 8))).toBeCloseTo(2.5, 4);
  });

  it("labels a frame with the token whose embedding it is nearest to, by the head's scale and bias", async () => {
    const { adaptor, labels } = await run('float', 10);
    const table = llm.tensor('table').float32();
    const bias = weights.tensor('ctc.bias').float32();
    const vectors = adaptor?.data as Float32Array;
    const found = Array.from((labels?.data ?? []) as BigInt64Array, Number);
    expect(found.some((label) => label !== 0)).toBe(true);
    found.forEach((label, frame) => {
      if (label === 0) return;
      const scores = config.vocab.map((token, i) => {
        const row = table.subarray(token * 8, token * 8 + 8);
        const dot = row.reduce((sum, value, at) => sum + value * (vectors[frame * 8 + at] ?? 0), 0);
        return (dot / Math.hypot(...row) / 2.5) * 10 + (bias[i] ?? 0);
      });
      expect(scores.indexOf(Math.max(...scores)) + 1).toBe(label);
    });
  });

  it('in 8 bits gives nearly the same vectors', async () => {
    const exact = (await run('float', 10)).adaptor?.data as Float32Array;
    const rounded = (await run('byte-blocks', 10)).adaptor?.data as Float32Array;
    exact.forEach((value, i) => {
      expect(Math.abs(value - (rounded[i] ?? Number.NaN))).toBeLessThan(0.1);
    });
  });

  it('is refused when LLM, configuration and weights do not fit together', () => {
    const mismatch = expect.objectContaining({ code: 'shape-mismatch' });
    expect(() => build({ vocab: [3, 0, 6] })).toThrow(/token 6, but the LLM has only 6/);
    expect(() => build({}, weights.tensor('adaptor.out.weight'))).toThrow(mismatch);
    expect(() => build({ adaptor: { ...config.adaptor, k: 4 } })).toThrow(mismatch);
    expect(() => build({ vocab: [1, 2] })).toThrow(mismatch);
    expect(() => build({ adaptor: { ...config.adaptor, blocks: 2 } })).toThrow(
      expect.objectContaining({ code: 'tensor-missing' }),
    );
  });
});
