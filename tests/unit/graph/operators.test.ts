import { expect, it } from 'vitest';
import type { Value } from '../../../native-models/graph/definition.ts';
import { Graph } from '../../../native-models/graph/graph.ts';
import { floats, runGraph, valuesOf } from './run-graph.ts';

const asFloat = (g: Graph, x: Value) => g.cast(x, 'float32');
const number = (g: Graph, value: number) => g.constant('float32', [], [value]);

/** Each operator, what it does to [[1, 2, 3], [4, 5, 6]], and the shape it promises for [N, 3]. */
const operators: [string, (g: Graph, x: Value) => Value, number[], unknown[]][] = [
  ['add', (g, x) => g.add(x, x), [2, 4, 6, 8, 10, 12], ['N', 3]],
  ['sub and mul', (g, x) => g.mul(x, g.sub(x, x)), [0, 0, 0, 0, 0, 0], ['N', 3]],
  [
    'div by a column',
    (g, x) => g.div(x, g.reduceSum(x, 1)),
    [1 / 6, 1 / 3, 0.5, 4 / 15, 1 / 3, 0.4],
    ['N', 3],
  ],
  ['reduceMean', (g, x) => g.reduceMean(x, -1), [2, 5], ['N', 1]],
  ['reduceL2', (g, x) => g.reduceL2(x, 1), [Math.sqrt(14), Math.sqrt(77)], ['N', 1]],
  ['slice from the end', (g, x) => g.slice(x, 0, -1), [4, 5, 6], [1, 3]],
  ['slice within', (g, x) => g.slice(x, 1, 1, 3), [2, 3, 5, 6], ['N', 2]],
  ['concat', (g, x) => g.concat([x, g.slice(x, 1, 0, 1)], 1), [1, 2, 3, 1, 4, 5, 6, 4], ['N', 4]],
  ['transpose', (g, x) => g.transpose(x, [1, 0]), [1, 4, 2, 5, 3, 6], [3, 'N']],
  ['reshape', (g, x) => g.reshape(x, [0, 1, -1]), [1, 2, 3, 4, 5, 6], ['N', 1, 3]],
  ['reshape, the name in the open place', (g, x) => g.reshape(x, [3, -1]), [1, 2, 3, 4, 5, 6], [3, 'N']],
  ['unsqueeze and squeeze', (g, x) => g.squeeze(g.unsqueeze(x, 1), 1), [1, 2, 3, 4, 5, 6], ['N', 3]],
  ['gather', (g, x) => g.gather(x, g.int64s([2, 0]), 1), [3, 1, 6, 4], ['N', 2]],
  ['argMax', (g, x) => g.argMax(x, 1), [2, 2], ['N']],
  ['shapeOf', (g, x) => g.shapeOf(x), [2, 3], [2]],
  [
    'where',
    (g, x) => g.where(g.greater(x, g.constant('float32', [], [3])), x, g.mul(x, x)),
    [1, 4, 9, 4, 5, 6],
    ['N', 3],
  ],
  ['pow and sqrt', (g, x) => g.sqrt(g.pow(x, g.constant('float32', [], [2]))), [1, 2, 3, 4, 5, 6], ['N', 3]],
  ['cast there and back', (g, x) => g.cast(g.cast(x, 'int64'), 'float32'), [1, 2, 3, 4, 5, 6], ['N', 3]],
  ['range', (g, x) => g.range(g.shapeOf(x, 1, 2), 3), [0, 1, 2], [3]],
  ['expand', (g, x) => g.expand(g.slice(x, 0, 0, 1), g.shapeOf(x), ['N', 3]), [1, 2, 3, 1, 2, 3], ['N', 3]],
  [
    'reshapeTo',
    (g, x) => g.reshapeTo(x, g.shapeOf(g.transpose(x, [1, 0])), [3, 'N']),
    [1, 2, 3, 4, 5, 6],
    [3, 'N'],
  ],
  ['splitAt', (g, x) => g.splitAt(x, g.int64s([1, 2]), 1, ['A', 'B'])[1], [2, 3, 5, 6], ['N', 'B']],
  [
    'matMulTransposed',
    (g, x) => g.squeeze(g.matMulTransposed(g.unsqueeze(x, 0), g.unsqueeze(x, 0), 0.5), 0),
    [7, 16, 16, 38.5],
    ['N', 'N'],
  ],
  [
    'min and mod',
    (g, x) => asFloat(g, g.mod(g.cast(g.min(x, number(g, 5)), 'int64'), g.int64s([3]))),
    [1, 2, 0, 1, 2, 2],
    ['N', 3],
  ],
  ['less', (g, x) => asFloat(g, g.less(x, number(g, 3))), [1, 1, 0, 0, 0, 0], ['N', 3]],
  ['lessOrEqual', (g, x) => asFloat(g, g.lessOrEqual(x, number(g, 3))), [1, 1, 1, 0, 0, 0], ['N', 3]],
  ['greaterOrEqual', (g, x) => asFloat(g, g.greaterOrEqual(x, number(g, 3))), [0, 0, 1, 1, 1, 1], ['N', 3]],
  ['equal', (g, x) => asFloat(g, g.equal(x, number(g, 3))), [0, 0, 1, 0, 0, 0], ['N', 3]],
  [
    'and, or, not',
    (g, x) => {
      const [low, high] = [g.less(x, number(g, 3)), g.greater(x, number(g, 4))];
      return asFloat(g, g.or(g.and(low, g.not(high)), high));
    },
    [1, 1, 0, 0, 1, 1],
    ['N', 3],
  ],
  [
    'bits',
    (g, x) => {
      const [bytes, two] = [g.cast(x, 'uint8'), g.constant('uint8', [], [2])];
      const odd = g.bitwiseXor(g.bitwiseAnd(bytes, two), two);
      return asFloat(g, g.bitwiseOr(g.bitShift(bytes, two, 'LEFT'), odd));
    },
    [6, 8, 12, 18, 22, 24],
    ['N', 3],
  ],
  ['neg and abs', (g, x) => g.abs(g.neg(x)), [1, 2, 3, 4, 5, 6], ['N', 3]],
  ['exp and log', (g, x) => g.log(g.exp(x)), [1, 2, 3, 4, 5, 6], ['N', 3]],
  ['reciprocal', (g, x) => g.reciprocal(x), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6], ['N', 3]],
  [
    'sin and cos',
    (g, x) => g.add(g.pow(g.sin(x), number(g, 2)), g.pow(g.cos(x), number(g, 2))),
    [1, 1, 1, 1, 1, 1],
    ['N', 3],
  ],
  ['tanh', (g, x) => g.tanh(x), [1, 2, 3, 4, 5, 6].map(Math.tanh), ['N', 3]],
  ['sigmoid and silu', (g, x) => g.div(g.silu(x), g.sigmoid(x)), [1, 2, 3, 4, 5, 6], ['N', 3]],
  ['softplus', (g, x) => g.softplus(x), [1, 2, 3, 4, 5, 6].map((v) => Math.log1p(Math.exp(v))), ['N', 3]],
  ['round, halves to even', (g, x) => g.round(g.div(x, number(g, 2))), [0, 1, 2, 2, 2, 3], ['N', 3]],
  ['floor', (g, x) => g.floor(g.div(x, number(g, 2))), [0, 1, 1, 2, 2, 3], ['N', 3]],
  ['ceil', (g, x) => g.ceil(g.div(x, number(g, 2))), [1, 1, 2, 2, 3, 3], ['N', 3]],
  ['clip', (g, x) => g.clip(x, 2, 5), [2, 2, 3, 4, 5, 5], ['N', 3]],
  ['clip on one side', (g, x) => g.clip(x, null, 4), [1, 2, 3, 4, 4, 4], ['N', 3]],
  [
    'gatherElements',
    (g, x) => g.gatherElements(x, g.constant('int64', [2, 2], [2, 0, 1, 1]), 1),
    [3, 1, 5, 5],
    [2, 2],
  ],
  ['tile', (g, x) => g.tile(x, [1, 2]), [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6], ['N', 6]],
  [
    'pad',
    (g, x) =>
      g.pad(
        x,
        [
          [0, 0],
          [1, 2],
        ],
        9,
      ),
    [9, 1, 2, 3, 9, 9, 9, 4, 5, 6, 9, 9],
    ['N', 6],
  ],
  [
    'pad, mirrored',
    (g, x) =>
      g.pad(
        x,
        [
          [0, 0],
          [1, 1],
        ],
        'reflect',
      ),
    [2, 1, 2, 3, 2, 5, 4, 5, 6, 5],
    ['N', 5],
  ],
  [
    'pad with the edge',
    (g, x) =>
      g.pad(
        x,
        [
          [1, 0],
          [0, 0],
        ],
        'edge',
      ),
    [1, 2, 3, 1, 2, 3, 4, 5, 6],
    ['N+1', 3],
  ],
  ['reduceMax and reduceMin', (g, x) => g.sub(g.reduceMax(x, 1), g.reduceMin(x, 1)), [2, 2], ['N', 1]],
  ['cumSum', (g, x) => g.cumSum(x, 1), [1, 3, 6, 4, 9, 15], ['N', 3]],
  [
    'logSoftmax',
    (g, x) => g.exp(g.logSoftmax(g.mul(x, number(g, 0)))),
    [1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3],
    ['N', 3],
  ],
  [
    'nonZero',
    (g, x) => asFloat(g, g.nonZero(g.greater(x, number(g, 4)), 'found')),
    [1, 1, 1, 2],
    [2, 'found'],
  ],
  ['relu', (g, x) => g.relu(g.sub(x, g.constant('float32', [3], [2, 2, 2]))), [0, 0, 1, 2, 3, 4], ['N', 3]],
];

for (const [name, formula, expected, shape] of operators)
  it(`${name}: shapes as promised, values as the formula says`, async () => {
    const g = new Graph('test');
    const y = formula(g, g.input('x', 'float32', ['N', 3]));
    expect(y.shape).toEqual(shape);
    g.output('y', y);
    const outputs = await runGraph(g, { x: floats([1, 2, 3, 4, 5, 6], [2, 3]) });
    valuesOf(outputs.y).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
    });
    expect(outputs.y?.size).toBe(expected.length);
  });
