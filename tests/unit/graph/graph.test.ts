import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { withDataFile, writeModel } from '../../../native-models/formats/onnx-writer.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { floats, runGraph, someNumbers, valuesOf } from './run-graph.ts';

const floatWeight = (shape: readonly number[], values: Float32Array) => ({
  type: 'float32' as const,
  shape,
  read: () => new Uint8Array(values.buffer),
});

describe('the graph builder', () => {
  it('norms and gates as their formulas say', async () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 'S', 4]);
    const w = g.constant('float32', [4], [1, 2, 1, 1]);
    const { normed, sum } = g.skipNorm(x, x, w, 1e-5);
    g.output('norm', g.norm(x, w, 1e-5));
    g.output('normed', normed);
    g.output('sum', sum);
    g.output('layer', g.layerNormalization(x, w, null, 0));
    g.output('gelu', g.gelu(x));
    g.output('softmax', g.softmax(x));
    const outputs = await runGraph(g, { x: floats([1, -1, 3, 1], [1, 1, 4]) });
    const root = Math.sqrt(3);
    const close = (name: string, expected: number[]) =>
      valuesOf(outputs[name]).map((value, i) => expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4));
    close('norm', [1 / root, -2 / root, 3 / root, 1 / root]);
    close('normed', [1 / root, -2 / root, 3 / root, 1 / root]);
    close('sum', [2, -2, 6, 2]);
    close('layer', [0, -2 * Math.SQRT2, Math.SQRT2, 0]);
    close('gelu', [0.841345, -0.158655, 2.99595, 0.841345]);
    expect(valuesOf(outputs.softmax).reduce((total, value) => total + value)).toBeCloseTo(1, 5);
  });

  it('convolves sequences, and says how long they become', async () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 1, 'T']);
    const w = g.constant('float32', [1, 1, 3], [1, 1, 1]);
    const same = g.conv(x, w, null, { padding: [1, 1] });
    const halved = g.conv(x, w, g.constant('float32', [1], [10]), { padding: [1, 1], stride: 2 });
    expect(same.shape).toEqual([1, 1, 'T']);
    expect(halved.shape).toEqual([1, 1, 'T/2']);
    g.output('same', same);
    g.output('halved', halved);
    const outputs = await runGraph(g, { x: floats([1, 2, 3, 4], [1, 1, 4]) });
    expect(valuesOf(outputs.same)).toEqual([3, 6, 9, 7]);
    expect(valuesOf(outputs.halved)).toEqual([13, 19]);
  });

  it('convolves pictures, each axis in its own way', async () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 1, 'H', 4]);
    const w = g.constant('float32', [1, 1, 2, 3], [1, 1, 1, 1, 1, 1]);
    const y = g.conv(x, w, null, {
      stride: [2, 1],
      padding: [
        [0, 0],
        [1, 1],
      ],
    });
    expect(y.shape).toEqual([1, 1, 'H/2', 4]);
    g.output('y', y);
    const outputs = await runGraph(g, { x: floats([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]) });
    expect(valuesOf(outputs.y)).toEqual([14, 24, 30, 22]);
  });

  it('normalises groups and batches of channels', async () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 4, 'T']);
    const [ones, tens] = [
      g.constant('float32', [4], [1, 1, 1, 1]),
      g.constant('float32', [4], [10, 10, 10, 10]),
    ];
    g.output('groups', g.groupNormalization(x, 2, tens, ones, 1e-9));
    const variance = g.constant('float32', [4], [4, 4, 4, 4]);
    g.output('batch', g.batchNormalization(x, { scale: ones, bias: tens, mean: ones, variance }, 0));
    const outputs = await runGraph(g, { x: floats([1, 3, 5, 5], [1, 4, 1]) });
    valuesOf(outputs.groups).forEach((value, i) => {
      expect(value).toBeCloseTo([-9, 11, 1, 1][i] ?? Number.NaN, 4);
    });
    expect(valuesOf(outputs.batch)).toEqual([10, 11, 12, 12]);
  });

  it('computes one branch of an if, which sees what is outside', async () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', ['N']);
    const flag = g.input('flag', 'bool', []);
    const times = (branch: Graph, factor: number) => [
      branch.mul(x, branch.constant('float32', [], [factor])),
    ];
    const [y] = g.if(
      flag,
      (branch) => times(branch, 2),
      (branch) => times(branch, 3),
    );
    if (y !== undefined) g.output('y', y);
    for (const [on, expected] of [
      [true, 2],
      [false, 3],
    ] as const) {
      const feeds = { x: floats([1], [1]), flag: new Tensor('bool', [on], []) };
      expect(valuesOf((await runGraph(g, feeds)).y)).toEqual([expected]);
    }
  });

  it('takes operators that have no method of their own', async () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', ['N']);
    const [y] = g.op('', 'Neg', [x], {}, [x]);
    g.output('y', y);
    expect(valuesOf((await runGraph(g, { x: floats([1, -2], [2]) })).y)).toEqual([-1, 2]);
  });

  it('refuses what does not fit, naming both shapes', () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 'S', 8]);
    const w = (shape: readonly number[]) => g.weight(`w${shape}`, floatWeight(shape, new Float32Array(64)));
    const says = (formula: () => unknown, words: RegExp) =>
      expect(formula).toThrow(
        expect.objectContaining({ code: 'shape-mismatch', message: expect.stringMatching(words) }),
      );
    says(() => g.matMul(x, w([9, 4])), /MatMul: \[1, S, 8\] cannot be multiplied by \[9, 4\]/);
    says(() => g.add(x, w([3])), /Add: \[1, S, 8\] and \[3\]/);
    says(() => g.norm(x, w([7]), 1e-5), /\[7\] does not fit \[1, S, 8\]/);
    says(() => g.concat([x, w([1, 4, 9])], 1), /Concat: \[1, 4, 9\]/);
    says(() => g.reshape(x, [1, 3, -1, 5]), /Reshape/);
    says(() => g.reshape(x, [8]), /Reshape/);
    says(() => g.split(x, [3, 4], 2), /3 \+ 4/);
    says(() => g.transpose(x, [0, 2, 2]), /no order/);
    says(() => g.slice(x, 3, 0), /no axis 3/);
    says(() => g.conv(g.transpose(x, [0, 2, 1]), w([4, 9, 3]), null), /Conv/);
    says(() => g.add(x, g.int64s([1])), /float32 and int64/);
    says(() => g.matMul(x, g.int64s([1])), /float32 and int64/);
    says(() => g.and(x, x), /And: float32 is not bool/);
    says(() => g.bitShift(x, x, 'LEFT'), /BitShift: float32 is not uint8/);
    says(() => g.where(g.greater(x, x), x, g.int64s([1])), /Where: float32 and int64/);
    says(() => g.pad(x, [[0, 1]]), /Pad: 1 pairs of widths for \[1, S, 8\]/);
    says(() => g.tile(x, [2]), /Tile/);
    says(() => g.gatherElements(x, g.int64s([1]), 1), /GatherElements: \[1\] does not index/);
    says(() => g.groupNormalization(g.transpose(x, [0, 2, 1]), 3, w([8]), w([8]), 0), /3 groups/);
    const four = { scale: w([4]), bias: w([4]), mean: w([4]), variance: w([4]) };
    says(() => g.batchNormalization(g.transpose(x, [0, 2, 1]), four, 0), /\[4\] does not fit \[1, 8, S\]/);
    says(() => g.weight('w3', floatWeight([4], new Float32Array(4))), /at once/);
    says(() => g.output('y', x, [1, 'S']), /Output y/);
    says(() => g.input('x', 'float32', [1]), /two values named x/);
  });
});

describe('weights beside the graph', () => {
  it('are written once for all graphs that name them, in any shape, and small ones stay inside', async () => {
    const values = someNumbers(1024);
    let reads = 0;
    const weight = (shape: readonly number[]) => ({
      type: 'float32' as const,
      shape,
      read: () => {
        reads++;
        return new Uint8Array(values.buffer);
      },
    });
    const graph = (shape: readonly number[]) => {
      const g = new Graph('test');
      g.output('y', g.add(g.weight('shared', weight(shape)), g.constant('float32', [], [1])));
      return g.finish();
    };
    const folder = temporaryFolder();
    const dataPath = join(folder, 'weights.data');
    await withDataFile(dataPath, async (data) => {
      await writeModel(graph([32, 32]), join(folder, 'a.onnx'), data);
      await writeModel(graph([1024]), join(folder, 'b.onnx'), data);
      await expect(writeModel(graph([31, 32]), join(folder, 'c.onnx'), data)).rejects.toThrow(/4096.*3968/);
    });
    expect(reads).toBe(1);
    expect(statSync(dataPath).size).toBe(4096);
    expect(new Float32Array(new Uint8Array(readFileSync(dataPath)).buffer)).toEqual(values);
    expect(statSync(join(folder, 'a.onnx')).size).toBeLessThan(1000);
  });

  it('come piece by piece where they are large, one weight after another', async () => {
    const folder = temporaryFolder();
    const order: string[] = [];
    const inPieces = (name: string) => ({
      ...{ type: 'uint8' as const, shape: [3, 1000] },
      read: () => new Uint8Array(0),
      *chunks() {
        for (let piece = 0; piece < 3; piece++) {
          order.push(`${name} ${piece}`);
          yield new Uint8Array(1000).fill(piece);
        }
      },
    });
    const g = new Graph('test');
    g.output('y', g.concat([g.weight('a', inPieces('a')), g.weight('b', inPieces('b'))], 0));
    const path = join(folder, 'd');
    await withDataFile(path, (data) => writeModel(g.finish(), join(folder, 'm'), data));
    expect(order).toEqual(['a 0', 'a 1', 'a 2', 'b 0', 'b 1', 'b 2']);
    const { y } = await runGraph(g, {});
    expect(valuesOf(y)).toEqual([0, 1, 2, 0, 1, 2].flatMap((value) => new Array(1000).fill(value)));
    const long = { ...inPieces('c'), shape: [2, 1000] };
    const wrong = new Graph('test');
    wrong.output('y', wrong.weight('c', long));
    const writing = withDataFile(path, (data) => writeModel(wrong.finish(), join(folder, 'm'), data));
    await expect(writing).rejects.toThrow(/c gave 3000 or more bytes where its shape takes 2000/);
  });

  it('must have the bytes that their shape takes', async () => {
    const folder = temporaryFolder();
    const g = new Graph('test');
    g.output('y', g.weight('short', { type: 'float32', shape: [1024], read: () => new Uint8Array(4) }));
    const writing = withDataFile(join(folder, 'd'), (data) =>
      writeModel(g.finish(), join(folder, 'm'), data),
    );
    await expect(writing).rejects.toThrow(/short gave 4 bytes/);
  });
});
