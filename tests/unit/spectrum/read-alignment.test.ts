import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import type { LinearKind } from '../../../native-models/layers/linear.ts';
import { readAlignment } from '../../../native-models/spectrum/read-alignment.ts';
import { numbered, numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;

/** Builds an adaptor into a folder, as a bundle has it. */
async function builtFolder(architecture: string, shapes: Shapes, kind: LinearKind) {
  const built = adaptorArchitecture(architecture).build({
    weights: numberedSource(shapes),
    config: {},
    options: {},
    encoder: { hidden: 48, framesPerSecond: 50 },
    secondEncoder: null,
    llm: null,
    kind,
    target: 'cpu',
  });
  const folder = temporaryFolder();
  await withDataFile(join(folder, 'adaptor.data'), (data) =>
    writeModel(built.graph.finish(), join(folder, 'adaptor.onnx'), data),
  );
  return { folder, matrices: built.matrices.map(({ name }) => name) };
}

/** Reads the matrices of a built adaptor back. */
async function matricesOf(architecture: string, shapes: Shapes, kind: LinearKind) {
  const { folder, matrices } = await builtFolder(architecture, shapes, kind);
  const alignment = readAlignment(folder, { graph: 'adaptor.onnx', matrices });
  const read = alignment.matrices.map((matrix) => ({
    name: matrix.name,
    shape: matrix.shape,
    values: matrix.float32(),
  }));
  alignment.close();
  return read;
}

describe("the matrices of a bundle's adaptor", () => {
  const kinds: LinearKind[] = ['float', 'byte-blocks', 'dynamic-int8'];

  it.each(kinds)('are those of the weights, as near as the rounding of %s leaves them', async (kind) => {
    const shapes = { 'aligner.weight': [80, 48], 'aligner.bias': [80] };
    const [matrix, ...others] = await matricesOf('linear', shapes, kind);
    expect(others).toEqual([]);
    expect(matrix).toMatchObject({ name: 'aligner.weight', shape: [80, 48] });
    const weight = numbered('aligner.weight', [80, 48]);
    const within = kind === 'float' ? 0 : 0.1 / 127;
    matrix?.values.forEach((value, i) => {
      expect(Math.abs(value - (weight[i] ?? Number.NaN))).toBeLessThanOrEqual(within);
    });
  });

  it.each(kinds)(
    'come in the order of the layers, a convolution with its kernel unrolled, in %s',
    async (kind) => {
      const shapes = { 'adaptor.0.weight': [32, 48, 3], 'adaptor.2.weight': [16, 32] };
      const read = await matricesOf('conv', shapes, kind);
      expect(read.map(({ name, shape }) => [name, shape])).toEqual([
        ['adaptor.0.weight', [32, 144]],
        ['adaptor.2.weight', [16, 32]],
      ]);
      const energy = (values: ArrayLike<number>) =>
        Array.from(values).reduce((sum, value) => sum + value ** 2, 0);
      expect(energy(read[0]?.values ?? [])).toBeCloseTo(energy(numbered('adaptor.0.weight', [32, 48, 3])), 1);
    },
  );

  it('are missed by name when a bundle of an older version names none, or names others', async () => {
    const { folder } = await builtFolder('linear', { 'aligner.weight': [16, 48] }, 'float');
    const read = (matrices: string[]) => readAlignment(folder, { graph: 'adaptor.onnx', matrices });
    expect(() => read([])).toThrow(expect.objectContaining({ code: 'not-supported' }));
    expect(() => read(['aligner.other'])).toThrow(/aligner\.other/);
  });
});
