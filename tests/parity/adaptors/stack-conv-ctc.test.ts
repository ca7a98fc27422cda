import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, expect, it } from 'vitest';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';

const golden = new Safetensors(
  join(import.meta.dirname, '../../fixtures/adaptors/stack-conv-ctc.safetensors'),
);
const folder = mkdtempSync(join(tmpdir(), 'parlance-adaptor-'));
afterAll(() => {
  golden.close();
  rmSync(folder, { recursive: true });
});

it('stack-conv-ctc with attention gives the vectors and the labels that the training workbench gives', async () => {
  const { graph } = adaptorArchitecture('stack-conv-ctc').build({
    weights: golden,
    config: {
      adaptor: { din: 16, k: 2, d: 24, dl: 8, blocks: 2, ctx: 1, ff: 16, heads: 3 },
      mode: 'compress',
      vocab: [3, 0, 5, 9],
    },
    options: {},
    encoder: { hidden: 16, framesPerSecond: 50 },
    secondEncoder: null,
    llm: { hidden: 8, embeddings: golden.tensor('case.table') },
    kind: 'float',
    target: 'cpu',
  });
  const path = join(folder, 'adaptor.onnx');
  await withDataFile(join(folder, 'adaptor.data'), (data) => writeModel(graph.finish(), path, data));
  const session = await InferenceSession.create(path);
  const encoded = golden.tensor('case.encoder');
  const given = new Tensor('float32', Float32Array.from(encoded.float32()), [...encoded.shape]);
  const { adaptor, labels } = await session.run({ encoder: given });
  await session.release();
  const expected = golden.tensor('case.adaptor').float32();
  const found = adaptor?.data as Float32Array;
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(value - (found[i] ?? Number.NaN))).toBeLessThan(1e-4);
  });
  const heard = new Int32Array(golden.tensor('case.labels').read().slice().buffer);
  expect(Array.from((labels?.data ?? []) as BigInt64Array, Number)).toEqual([...heard]);
});
