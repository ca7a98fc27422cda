import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Value } from '../../../native-models/graph/definition.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import type { Target } from '../../../native-models/graph/target.ts';
import { floats, runGraph, someNumbers, valuesOf } from './run-graph.ts';

const fusedTypes =
  /Simplified|SkipLayer|Gelu|NBits|BlockQuantized|DynamicQuantize|Fused|Rotary|HeadAttention|GroupQuery/;

interface Example {
  readonly name: string;
  readonly feeds: Readonly<Record<string, Tensor>>;
  build(g: Graph): readonly Value[];
  /** Of the largest magnitude; fused forms that round their inputs are further off. */
  readonly tolerance?: number;
}

const x3 = { x: floats(someNumbers(3 * 5 * 24), [3, 5, 24]) };
const input3 = (g: Graph) => g.input('x', 'float32', ['B', 'S', 24]);
const constants = (g: Graph, shape: readonly number[], seed: number) => {
  const values = someNumbers(
    shape.reduce((product, size) => product * size, 1),
    seed,
  );
  return g.weight(`w.${seed}`, { type: 'float32', shape, read: () => new Uint8Array(values.buffer) });
};
const levels = (g: Graph, name: string, type: 'uint8' | 'int8', shape: readonly number[]) => {
  const values = Uint8Array.from(
    someNumbers(
      shape.reduce((product, size) => product * size, 1),
      7,
    ),
    (value) => (value + 1) * 127.9,
  );
  return g.weight(name, { type, shape, read: () => values });
};
const blocks = (
  g: Graph,
  bits: 4 | 8,
  shape: readonly number[],
  zeroPoints: 'packed' | 'float' | 'none',
) => ({
  ...{ bits, blockSize: 16, data: levels(g, 'data', 'uint8', shape), scales: constants(g, [7, 3], 2) },
  zeroPoints:
    zeroPoints === 'none'
      ? null
      : zeroPoints === 'float'
        ? constants(g, [7, 3], 6)
        : levels(g, 'zeros', 'uint8', [7, bits === 4 ? 2 : 3]),
});
const x48 = { x: floats(someNumbers(2 * 3 * 48), [2, 3, 48]) };
const input48 = (g: Graph) => g.input('x', 'float32', ['B', 'S', 48]);

const examples: Example[] = [
  { name: 'gelu', feeds: x3, build: (g) => [g.gelu(input3(g))] },
  { name: 'gelu, approximated', feeds: x3, build: (g) => [g.gelu(input3(g), 'tanh')] },
  { name: 'norm', feeds: x3, build: (g) => [g.norm(input3(g), constants(g, [24], 2), 1e-3)] },
  {
    name: 'skipNorm',
    feeds: x3,
    build(g) {
      const x = input3(g);
      const { normed, sum } = g.skipNorm(x, g.mul(x, x), constants(g, [24], 2), 1e-3);
      return [normed, sum];
    },
  },
  {
    name: 'skipLayerNormalization',
    feeds: x3,
    build(g) {
      const x = input3(g);
      const [scale, bias] = [constants(g, [24], 2), constants(g, [24], 3)];
      const { normed, sum } = g.skipLayerNormalization(x, g.mul(x, x), scale, bias, 1e-3);
      return [normed, sum];
    },
  },
  ...([4, 8] as const).flatMap((bits) =>
    (['none', 'packed', ...(bits === 4 ? (['float'] as const) : [])] as const).map(
      (zeroPoints): Example => ({
        name: `matMulNBits, ${bits} bits, zero points: ${zeroPoints}`,
        feeds: x48,
        build: (g) => [
          g.matMulNBits(
            input48(g),
            blocks(g, bits, [7, 3, 2 * bits], zeroPoints),
            constants(g, [7], 4),
            bits === 4 ? 1 : 4,
          ),
        ],
        tolerance: bits === 4 ? 1e-5 : 0.01,
      }),
    ),
  ),
  ...([4, 8] as const).flatMap((bits) =>
    (['none', 'packed'] as const).map(
      (zeroPoints): Example => ({
        name: `gatherBlockQuantized, ${bits} bits, zero points: ${zeroPoints}`,
        feeds: { ids: new Tensor('int64', [6n, 0n, 3n], [1, 3]) },
        build: (g) => [
          g.gatherBlockQuantized(
            blocks(g, bits, [7, 6 * bits], zeroPoints),
            g.input('ids', 'int64', [1, 'S']),
          ),
        ],
      }),
    ),
  ),
  {
    name: 'dynamicQuantizeMatMul',
    feeds: x48,
    build: (g) => [
      g.dynamicQuantizeMatMul(
        input48(g),
        levels(g, 'data', 'int8', [48, 5]),
        constants(g, [5], 2),
        constants(g, [5], 3),
      ),
    ],
    tolerance: 0.02,
  },
  {
    name: 'matMulTransposed',
    feeds: x3,
    build(g) {
      const x = input3(g);
      return [
        g.matMulTransposed(x, constants(g, [3, 7, 24], 2), 0.3),
        g.matMulTransposed(x, constants(g, [7, 24], 3), 1),
      ];
    },
  },
  ...([8, 4] as const).map(
    (rotated): Example => ({
      name: `rotaryEmbedding of ${rotated} of 8 dimensions`,
      feeds: {
        x: floats(someNumbers(5 * 24), [1, 5, 24]),
        first: new Tensor('int64', [3n], [1]),
      },
      build: (g) => [
        g.rotaryEmbedding(
          g.input('x', 'float32', [1, 'S', 24]),
          g.input('first', 'int64', [1]),
          constants(g, [9, rotated / 2], 2),
          constants(g, [9, rotated / 2], 3),
          8,
        ),
      ],
    }),
  ),
  {
    name: 'multiHeadAttention over a sequence, and over heads that lie apart',
    feeds: { ...x3, key: floats(someNumbers(3 * 7 * 24, 2), [3, 7, 24]) },
    build(g) {
      const [x, key] = [input3(g), g.input('key', 'float32', ['B', 'T', 24])];
      const byHead = g.transpose(g.reshape(key, [0, 0, 4, 6]), [0, 2, 1, 3]);
      return [
        g.multiHeadAttention(x, key, key, 4),
        g.multiHeadAttention(x, byHead, byHead, 4),
        g.multiHeadAttention(x, key, key, 4, { scale: 1.5, bias: constants(g, [1, 4, 5, 7], 3) }),
        g.multiHeadAttention(x, key, key, 4, { bias: constants(g, [1, 1, 5, 7], 4) }),
      ];
    },
  },
  ...(
    [
      [0, 5, {}],
      [3, 1, {}],
      [4, 3, { scale: 0.7 }],
      [4, 3, { localWindow: 3 }],
      [0, 6, { localWindow: 2 }],
      [6, 1, { localWindow: 4 }],
      [2, 4, { softcap: 0.5 }],
      [2, 4, { rotated: 8 }],
      [2, 4, { rotated: 0 }],
    ] as const
  ).map(([past, added, { rotated = 16, ...options }]: readonly [number, number, GroupOptions]): Example => {
    const cache = (seed: number) => floats(someNumbers(2 * past * 16, seed), [1, 2, past, 16]);
    return {
      name: `groupQueryAttention of ${added} after ${past}, ${rotated} of 16 dimensions turned, ${JSON.stringify(options)}`,
      feeds: {
        qkv: floats(
          someNumbers(added * 160).map((value) => 3 * value),
          [1, added, 160],
        ),
        key: cache(2),
        value: cache(3),
        last: new Tensor('int32', Int32Array.of(past + added - 1), [1]),
        total: new Tensor('int32', Int32Array.of(past + added), []),
      },
      build(g) {
        const ofCache = (name: string) => g.input(name, 'float32', [1, 2, 'P', 16]);
        const table = (seed: number) => (rotated === 0 ? null : constants(g, [12, rotated / 2], seed));
        const { y, presentKey, presentValue } = g.groupQueryAttention({
          qkv: g.input('qkv', 'float32', [1, 'S', 160]),
          ...{ pastKey: ofCache('key'), pastValue: ofCache('value') },
          lastPosition: g.input('last', 'int32', [1]),
          totalLength: g.input('total', 'int32', []),
          ...{ cosines: table(4), sines: table(5), heads: 6, kvHeads: 2 },
          ...options,
        });
        return [y, presentKey, presentValue];
      },
    };
  }),
];

interface GroupOptions {
  readonly scale?: number;
  readonly localWindow?: number;
  readonly softcap?: number;
  readonly rotated?: number;
}

async function outputsFor(target: Target, { build, feeds }: Example) {
  const g = new Graph('test', target);
  build(g).forEach((value, i) => {
    g.output(`y${i}`, value);
  });
  const graph = g.finish();
  const named = Object.fromEntries(
    graph.inputs.flatMap(({ name }) => {
      const feed = feeds[name];
      return feed === undefined ? [] : [[name, feed]];
    }),
  );
  return { types: graph.nodes.map(({ type }) => type), outputs: await runGraph(g, named, 'all') };
}

describe('what a target has no fused operator for is written out', () => {
  for (const example of examples)
    it(`${example.name}: the same values in plain operators`, async () => {
      const fused = await outputsFor('cpu', example);
      const plain = await outputsFor('plain', example);
      expect(fused.types.some((type) => fusedTypes.test(type))).toBe(true);
      expect(plain.types.filter((type) => fusedTypes.test(type))).toEqual([]);
      for (const [name, expected] of Object.entries(fused.outputs)) {
        const actual = plain.outputs[name];
        expect(actual?.dims).toEqual(expected.dims);
        const wanted = valuesOf(expected);
        const largest = Math.max(...wanted.map(Math.abs));
        valuesOf(actual).forEach((value, i) => {
          expect(Math.abs(value - (wanted[i] ?? Number.NaN)) / largest).toBeLessThan(
            example.tolerance ?? 1e-5,
          );
        });
      }
    });

  it('in branches as well, which are for the same target', () => {
    const g = new Graph('test', 'plain');
    const x = g.input('x', 'float32', [1, 4]);
    const [y] = g.if(
      g.input('flag', 'bool', []),
      (branch) => [branch.gelu(x)],
      () => [x],
    );
    if (y !== undefined) g.output('y', y);
    expect(JSON.stringify(g.finish())).not.toContain('Gelu');
  });

  it('says what does not fit before anything runs', () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', [1, 'S', 24]);
    const table = constants(g, [9, 8], 2);
    const past = g.input('past', 'float32', [1, 2, 'P', 4]);
    const last = g.input('last', 'int32', [1]);
    const given = { qkv: x, pastKey: past, pastValue: past, lastPosition: last, totalLength: last };
    const attend = (heads: number, kvHeads: number) => () =>
      g.groupQueryAttention({ ...given, cosines: null, sines: null, heads, kvHeads });
    expect(attend(3, 2)).toThrow(/\[1, S, 24\] is not 3 \+ 2 × 2 heads of 4/);
    expect(() => g.rotaryEmbedding(x, last, table, table)).toThrow(/no heads of 16/);
    expect(() => g.multiHeadAttention(x, x, x, 5)).toThrow(/5 heads of \[1, S, 24\]/);
    expect(() => g.matMulTransposed(x, table, 1)).toThrow(/\[1, S, 24\] cannot be multiplied by \[9, 8\]/);
  });
});
