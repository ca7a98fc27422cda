import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import { type LinearKind, type LinearWeights, linear } from '../../../native-models/layers/linear.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { floats, runGraph, someNumbers, valuesOf } from '../graph/run-graph.ts';
import { storedTensor } from './stored-tensors.ts';

const [outputs, inputs, positions] = [128, 160, 3];

function layer(type: 'F16' | 'F32'): LinearWeights {
  const bias = someNumbers(outputs, 8).map((value) => 0.01 * value);
  return {
    weight: storedTensor('w', type, [outputs, inputs]),
    bias: derivedTensor('b', [outputs], () => bias),
  };
}

/** `x · Wᵀ + b` for some of the rows. */
function expected({ weight, bias, rows }: LinearWeights, x: Float32Array): Float32Array {
  const [w, b] = [weight.float32(), bias?.float32()];
  const { first, count } = rows ?? { first: 0, count: outputs };
  return Float32Array.from({ length: positions * count }, (_, i) => {
    const row = first + (i % count);
    let sum = b?.[row] ?? 0;
    for (let k = 0; k < inputs; k++)
      sum += (w[row * inputs + k] ?? 0) * (x[Math.floor(i / count) * inputs + k] ?? 0);
    return sum;
  });
}

function graphOf(weights: LinearWeights, kind: LinearKind): Graph {
  const g = new Graph('linear');
  g.output('y', linear(g, g.input('x', 'float32', [1, 'S', inputs]), weights, kind));
  return g;
}

async function computed(weights: LinearWeights, kind: LinearKind) {
  const x = someNumbers(positions * inputs, 9);
  const { y } = await runGraph(graphOf(weights, kind), { x: floats(x, [1, positions, inputs]) }, 'all');
  return { y: Float32Array.from(valuesOf(y)), x };
}

async function storedBytes(weights: LinearWeights, kind: LinearKind): Promise<number> {
  const folder = temporaryFolder();
  const path = join(folder, 'd');
  await withDataFile(path, (data) => writeModel(graphOf(weights, kind).finish(), join(folder, 'm'), data));
  return statSync(path).size;
}

describe('a linear layer', () => {
  for (const [kind, least, bytes] of [
    ['float', 1 - 1e-9, 2],
    ['dynamic-int8', 0.999, 1],
    ['byte-blocks', 0.9999, 1 + 4 / 32],
    ['nibble-blocks', 0.99, 0.5 + 2 / 32],
  ] as const)
    it(`in ${kind} is the product, in ${bytes} bytes a weight of half precision`, async () => {
      for (const rows of [undefined, { first: 32, count: 64 }]) {
        const weights = { ...layer('F16'), ...(rows !== undefined && { rows }) };
        const { y, x } = await computed(weights, kind);
        expect(cosineSimilarity(y, expected(weights, x))).toBeGreaterThan(least);
      }
      const size = await storedBytes(layer('F16'), kind);
      expect(size).toBeGreaterThanOrEqual(outputs * inputs * bytes);
      expect(size).toBeLessThan(outputs * inputs * bytes + 1024);
    });

  it('in single precision is exact', async () => {
    const weights = { ...layer('F32'), bias: null };
    const { y, x } = await computed(weights, 'float');
    expected(weights, x).forEach((value, i) => {
      expect(Math.abs((y[i] ?? Number.NaN) - value)).toBeLessThan(1e-6);
    });
  });

  it('whose rows are no whole blocks stays as it is', async () => {
    const weight = storedTensor('w', 'F32', [4, 24]);
    const g = new Graph('linear');
    g.output('y', linear(g, g.input('x', 'float32', [1, 'S', 24]), { weight, bias: null }, 'nibble-blocks'));
    const x = new Float32Array(24).fill(1);
    const { y } = await runGraph(g, { x: floats(x, [1, 1, 24]) });
    const w = weight.float32();
    valuesOf(y).forEach((value, row) => {
      expect(value).toBeCloseTo(
        w.subarray(24 * row, 24 * (row + 1)).reduce((sum, one) => sum + one),
        5,
      );
    });
  });
});
