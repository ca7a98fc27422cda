import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { AdaptorRequest, BuiltAdaptor } from '../../../native-models/architectures/adaptors/adaptor.ts';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { numbered, numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { floats, runGraph } from '../../unit/graph/run-graph.ts';

const widths = { encoder: 48, secondEncoder: 16, llm: 32 };
const spread = 0.25;

export interface AdaptorCase {
  readonly architecture: string;
  /** What the original makes of it, in one of the files of tests/fixtures/adaptors. */
  readonly golden: { readonly file: string; readonly name: string };
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly options?: object;
  readonly config?: object;
  readonly frames: number;
  /** Frames of a second encoder, where there is one. */
  readonly secondFrames?: number;
}

/** A request as a recipe makes one, with weights that are numbered by their names. */
export function adaptorRequest(
  given: Pick<AdaptorCase, 'shapes' | 'options' | 'config' | 'secondFrames'>,
  change: Partial<AdaptorRequest> = {},
): AdaptorRequest {
  return {
    weights: numberedSource(given.shapes, spread),
    config: given.config ?? {},
    options: given.options ?? {},
    encoder: { hidden: widths.encoder, framesPerSecond: 50 },
    secondEncoder:
      given.secondFrames === undefined ? null : { hidden: widths.secondEncoder, framesPerSecond: 50 },
    llm: { hidden: widths.llm, embeddings: numberedSource({ table: [9, widths.llm] }).tensor('table') },
    kind: 'float',
    target: 'cpu',
    ...change,
  };
}

/** What the graph makes of the numbered frames that the original was given. */
export async function adapted(built: BuiltAdaptor, given: Pick<AdaptorCase, 'frames' | 'secondFrames'>) {
  const frames = (name: string, count: number, width: number) =>
    floats(numbered(name, [1, count, width], 1), [1, count, width]);
  const outputs = await runGraph(built.graph, {
    encoder: frames('encoder', given.frames, widths.encoder),
    ...(given.secondFrames !== undefined && {
      secondEncoder: frames('secondEncoder', given.secondFrames, widths.secondEncoder),
    }),
  });
  const { adaptor } = outputs;
  if (adaptor === undefined) throw new Error('the graph gives no adaptor');
  return { dims: adaptor.dims, values: adaptor.data as Float32Array };
}

/** Holds the adaptor against the original: to 10⁻⁴ of its largest value as it is, by the cosine when it is rounded. */
export async function expectParity(given: AdaptorCase, change: Partial<AdaptorRequest> = {}): Promise<void> {
  const path = new URL(`../../fixtures/adaptors/${given.golden.file}.safetensors`, import.meta.url);
  const file = new Safetensors(fileURLToPath(path));
  const golden = file.tensor(given.golden.name);
  const expected = golden.float32();
  file.close();
  const built = adaptorArchitecture(given.architecture).build(adaptorRequest(given, change));
  const { dims, values } = await adapted(built, given);
  expect(dims).toEqual(golden.shape);
  if ((change.kind ?? 'float') !== 'float') {
    expect(cosineSimilarity(values, expected)).toBeGreaterThan(0.999);
    return;
  }
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const furthest = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (values[i] ?? 0))), 0);
  expect(furthest / largest).toBeLessThan(1e-4);
}
