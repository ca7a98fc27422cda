import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { Graph } from '../../../native-models/graph/graph.ts';
import { plainRotary, rotaryTables } from '../../../native-models/layers/rotary.ts';
import { rowsAttention } from '../../../native-models/layers/rows-attention.ts';
import { floats, runGraph, someNumbers, valuesOf } from '../graph/run-graph.ts';

const sizes = { heads: 4, kvHeads: 2, headSize: 16 };
const { heads, kvHeads, headSize } = sizes;
const capacity = 6;
const width = (heads + 2 * kvHeads) * headSize;

function inputsOf(g: Graph) {
  return {
    qkv: g.input('qkv', 'float32', [1, 'S', width]),
    past: {
      key: g.input('key', 'float32', [1, kvHeads, 'capacity', headSize]),
      value: g.input('value', 'float32', [1, kvHeads, 'capacity', headSize]),
    },
    lastPosition: g.input('last', 'int32', [1]),
    ...rotaryTables(g, 'rotary', 32, plainRotary(headSize, 10_000)),
  };
}

function overRows(window: number | null): Graph {
  const g = new Graph('rows');
  const { qkv, past, lastPosition, cosines, sines } = inputsOf(g);
  const attend = rowsAttention(g, sizes, { embeddings: qkv, lastPosition, cache: past.key });
  const [queryAndKey, value] = g.split(qkv, [(heads + kvHeads) * headSize, kvHeads * headSize], -1);
  const rotary = { cosines, sines };
  const { y, rows } = attend(queryAndKey, value, past, { rotary, window, scale: 1 / Math.sqrt(headSize) });
  g.output('y', y);
  g.output('keys', rows.key);
  g.output('values', rows.value);
  return g;
}

/** The runtime's own operator, which wants the past alone. */
function grouped(window: number | null): Graph {
  const g = new Graph('grouped');
  const { qkv, past, lastPosition, cosines, sines } = inputsOf(g);
  const totalLength = g.input('total', 'int32', []);
  const { y, presentKey } = g.groupQueryAttention({
    ...{ qkv, pastKey: past.key, pastValue: past.value, lastPosition, totalLength },
    ...{ cosines, sines, heads, kvHeads, ...(window !== null && { localWindow: window }) },
  });
  g.output('y', y);
  g.output('keys', presentKey);
  return g;
}

/** The first `length` positions of a cache [kvHeads, capacity, headSize]. */
function filled(cache: readonly number[], length: number): number[] {
  const head = capacity * headSize;
  return Array.from({ length: kvHeads }, (_, i) =>
    cache.slice(i * head, i * head + length * headSize),
  ).flat();
}

for (const [past, added, window] of [
  [0, 1, null],
  [0, 4, null],
  [3, 1, null],
  [2, 3, null],
  [6, 1, null],
  [0, 6, 3],
  [5, 1, 3],
  [4, 4, 3],
  [6, 1, 1],
  [2, 1, 5],
] as const)
  it(`${added} positions after ${past}, through ${window ?? 'no'} window: as GroupQueryAttention, and blind to what lies behind the past`, async () => {
    const qkv = floats(someNumbers(added * width), [1, added, width]);
    const cache = () => [...someNumbers(kvHeads * capacity * headSize)];
    const [key, value] = [cache(), cache().reverse()];
    const last = new Tensor('int32', Int32Array.of(past + added - 1), [1]);
    const whole = [1, kvHeads, capacity, headSize];
    const ours = await runGraph(overRows(window), {
      qkv,
      key: floats(key, whole),
      value: floats(value, whole),
      last,
    });
    const alone = [1, kvHeads, past, headSize];
    const theirs = await runGraph(grouped(window), {
      ...{ qkv, last, key: floats(filled(key, past), alone), value: floats(filled(value, past), alone) },
      total: new Tensor('int32', Int32Array.of(past + added), []),
    });
    valuesOf(theirs.y).forEach((expected, i) => {
      expect(valuesOf(ours.y)[i]).toBeCloseTo(expected, 5);
    });
    const present = valuesOf(theirs.keys);
    const newKeys = Array.from({ length: kvHeads }, (_, i) => {
      const head = (past + added) * headSize;
      return present.slice(i * head + past * headSize, (i + 1) * head);
    }).flat();
    newKeys.forEach((expected, i) => {
      expect(valuesOf(ours.keys)[i]).toBeCloseTo(expected, 5);
    });
  });
