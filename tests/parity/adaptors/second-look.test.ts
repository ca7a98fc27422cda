import { describe, expect, it } from 'vitest';
import type { AdaptorRequest } from '../../../native-models/architectures/adaptors/adaptor.ts';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { openWeights } from '../../../native-models/formats/open-weights.ts';
import {
  configWith,
  exported,
  exportedShapes,
  golden,
  secondLookRequest,
  source,
  tiny,
  withTensor,
} from '../../fixtures/adaptors/second-look.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';
import { floats, runGraph, valuesOf } from '../../unit/graph/run-graph.ts';

/** The cases of make_second_look.py: as many frames, and what is unlike in the adaptor. */
const cases: Readonly<Record<string, { frames: number; change: Partial<AdaptorRequest> }>> = {
  usual: { frames: 41, change: {} },
  long: { frames: 60, change: { config: configWith({ longest_draft: 5, looks: 1 }) } },
  empty: {
    frames: 9,
    change: {
      weights: withTensor(source(exportedShapes), 'draft.blank.bias', [104]),
      config: configWith({ looks: 1 }),
    },
  },
};

async function run(name: string, change: Partial<AdaptorRequest> = {}) {
  const given = cases[name];
  if (given === undefined) throw new Error(`no case ${name}`);
  const { graph } = adaptorArchitecture('second-look').build(
    secondLookRequest({ ...given.change, ...change }),
  );
  const shape = [1, given.frames, tiny.width];
  const encoder = floats(numbered('encoder', shape, 1.5), shape);
  const { adaptor, labels } = await runGraph(graph, { encoder }, 'all');
  const said = valuesOf(labels).map(Number);
  const width = tiny.llmWidth;
  expect(adaptor?.dims).toEqual([1, said.length, width]);
  const all = Float32Array.from(valuesOf(adaptor));
  return { said, all };
}

/** Vectors where nothing is said are no one's, but for the first. */
const isScored = (label: number, stack: number) => label > 0 || stack === 0;
const vectorAt = (all: Float32Array, stack: number) => [
  ...all.subarray(stack * tiny.llmWidth, (stack + 1) * tiny.llmWidth),
];

describe.each(Object.keys(cases))('the second look at a clip, %s', (name) => {
  const vectors = golden.tensor(`${name}.adaptor`).float32();
  const labels = [...new Int32Array(golden.tensor(`${name}.labels`).read().slice().buffer)];

  it.each(['cpu', 'plain'] as const)(
    'gives the vectors and the labels that the training workbench gives, with operators of %s',
    async (target) => {
      const { said, all } = await run(name, { target });
      expect(said).toEqual(labels);
      const given = said.flatMap((label, stack) => (isScored(label, stack) ? vectorAt(all, stack) : []));
      expect(given.length).toBe(vectors.length);
      const largest = vectors.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const furthest = vectors.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (given[i] ?? Number.NaN))),
        0,
      );
      expect(furthest / largest).toBeLessThan(1e-4);
    },
  );

  /** One stack in ten may say what is nearly as likely; where it is the same, the vectors are nearly the same. */
  function expectNearly({ said, all }: { said: readonly number[]; all: Float32Array }): void {
    expect(said.length).toBe(labels.length);
    const same = said.map((label, stack) => label === labels[stack]);
    expect(same.filter((is) => !is).length).toBeLessThanOrEqual(0.1 * labels.length);
    const scored = labels.flatMap((label, stack) => (isScored(label, stack) ? [stack] : []));
    const compared = scored.filter((stack) => same[stack]);
    const given = compared.flatMap((stack) => vectorAt(all, stack));
    const golden = compared.flatMap((stack) => vectorAt(vectors, scored.indexOf(stack)));
    expect(cosineSimilarity(Float32Array.from(given), Float32Array.from(golden))).toBeGreaterThan(0.999);
  }

  it.each(['cpu', 'plain'] as const)(
    'in 8-bit blocks gives nearly the same with operators of %s',
    async (target) => {
      expectNearly(await run(name, { kind: 'byte-blocks', target }));
    },
  );

  it('gives nearly the same out of the 8-bit blocks that the workbench exports', async () => {
    using weights = openWeights(exported.weights);
    expect(weights.tensor('draft.blocks.0.qkv.weight').type).toBe('Q8_0');
    const blank = name === 'empty' ? 104 : (weights.tensor('draft.blank.bias').float32()[0] ?? 0);
    expectNearly(await run(name, { weights: withTensor(weights, 'draft.blank.bias', [blank]) }));
  });
});
