import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import { readManifest } from '../../../native-models/bundles/verify.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { encoderInput, type Padding } from '../../../native-models/features/encoder-input.ts';
import { extractFeatures } from '../../../native-models/features/extract-features.ts';
import { testBundle } from './bundle.ts';
import { clip, goldenTensors } from './golden.ts';

const folder = testBundle();
const expected = goldenTensors();
let manifest: BundleManifest;
const sessions: Record<string, InferenceSession> = {};

beforeAll(async () => {
  manifest = readManifest(folder);
  const { encoder, adaptor, whisper } = manifest;
  if (encoder === null || adaptor === null || whisper === null)
    throw new Error('the default bundle is whole');
  const graphs = {
    encoder: encoder.graph,
    adaptor: adaptor.graph,
    cross: whisper.crossGraph,
    decoder: whisper.graph,
  };
  for (const [name, graph] of Object.entries(graphs))
    sessions[name] = await InferenceSession.create(join(folder, graph), { intraOpNumThreads: 2 });
});
afterAll(async () => {
  for (const session of Object.values(sessions)) await session.release();
});

type Values = Record<string, Tensor>;
async function run(name: string, feeds: Values): Promise<Values> {
  const session = sessions[name];
  if (session === undefined) throw new Error(`no session ${name}`);
  return (await session.run(feeds)) as Values;
}

async function encode(padding: Padding): Promise<Tensor> {
  const part = manifest.encoder;
  if (manifest.features === null || part === null) throw new Error('the default bundle hears');
  const { data, mels, frames } = extractFeatures(encoderInput(clip(), padding, part), manifest.features);
  const { encoder } = await run('encoder', { features: new Tensor('float32', data, [1, mels, frames]) });
  if (encoder === undefined) throw new Error('the encoder gives `encoder`');
  return encoder;
}

const floats = (tensor: Tensor | undefined) => tensor?.data as Float32Array;
/** Every n-th row of a matrix. */
function sampledRows(matrix: Float32Array, width: number, step: number): Float32Array {
  const rows = Math.ceil(matrix.length / width / step);
  const sampled = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    sampled.set(matrix.subarray(row * step * width, (row * step + 1) * width), row * width);
  return sampled;
}

describe('the default bundle against the original implementations, on recorded speech', () => {
  it('encodes a clip without padding: cosine of at least 0.9999', async () => {
    const encoded = await encode(manifest.adaptor?.padding ?? { kind: '30s' });
    expect(encoded.dims).toEqual([1, 168, 512]);
    const similarity = cosineSimilarity(
      sampledRows(floats(encoded), 512, 8),
      expected.tensor('encoder').float32(),
    );
    expect(similarity).toBeGreaterThan(0.9999);
  });

  it('encodes 30 s: cosine of at least 0.9999', async () => {
    const encoded = await encode({ kind: '30s' });
    expect(encoded.dims).toEqual([1, 1500, 512]);
    const similarity = cosineSimilarity(
      sampledRows(floats(encoded), 512, 100),
      expected.tensor('encoder30').float32(),
    );
    expect(similarity).toBeGreaterThan(0.9999);
  });

  it('adapts: cosine of at least 0.999, and the same label on 99 of 100 frames', async () => {
    const encoder = await encode(manifest.adaptor?.padding ?? { kind: '30s' });
    const { adaptor, labels } = await run('adaptor', { encoder });
    expect(cosineSimilarity(floats(adaptor), expected.tensor('adaptor').float32())).toBeGreaterThan(0.999);
    const wanted = new BigInt64Array(expected.tensor('labels').read().buffer);
    const found = labels?.data as BigInt64Array;
    expect(found).toHaveLength(wanted.length);
    const same = wanted.filter((label, i) => label === found[i]).length;
    expect(same / wanted.length).toBeGreaterThanOrEqual(0.99);
  });

  it("scores a transcript as transformers' decoder does: cosine of at least 0.999", async () => {
    const decode = await decoder();
    const { logits } = await decode(goldenIds(), 0, noPast());
    const { vocabulary } = whisper();
    const sampled: number[] = [];
    floats(logits).forEach((value, i) => {
      if ((i % vocabulary) % 64 === 0) sampled.push(value);
    });
    expect(cosineSimilarity(sampled, expected.tensor('logits').float32())).toBeGreaterThan(0.999);
  });

  it("writes down greedily, step by step, what faster-whisper's beam of 1 writes", async () => {
    const decode = await decoder();
    const { vocabulary, tokens } = whisper();
    const [prompt, transcript] = [goldenIds().slice(0, 4), goldenIds().slice(4)];
    const written: number[] = [];
    let [ids, position, past] = [prompt, 0, noPast()];
    while (written.length < 60) {
      const result = await decode(ids, position, past);
      const next = best(floats(result.logits).subarray((ids.length - 1) * vocabulary), tokens.endOfText);
      if (next === tokens.endOfText) break;
      written.push(next);
      position += ids.length;
      [ids, past] = [[next], presentOf(result)];
    }
    expect(written).toEqual(transcript);
  });
});

function whisper() {
  if (manifest.whisper === null) throw new Error('the default bundle has a Whisper decoder');
  return manifest.whisper;
}

function goldenIds(): number[] {
  return [...new BigInt64Array(expected.tensor('ids').read().buffer)].map(Number);
}

/** The decoder with the clip's cross keys and values in place. */
async function decoder() {
  const cross = await run('cross', { encoder: await encode({ kind: '30s' }) });
  return (ids: readonly number[], position: number, past: Values) =>
    run('decoder', {
      input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
      position: new Tensor('int64', [BigInt(position)], [1]),
      ...past,
      ...cross,
    });
}

function noPast(): Values {
  const { layers, heads, hidden } = whisper();
  const empty = () => new Tensor('float32', new Float32Array(0), [1, heads, 0, hidden / heads]);
  const names = Array.from({ length: layers }, (_, layer) => [
    `past.${layer}.key`,
    `past.${layer}.value`,
  ]).flat();
  return Object.fromEntries(names.map((name) => [name, empty()]));
}

function presentOf(result: Values): Values {
  return Object.fromEntries(
    Object.entries(result)
      .filter(([name]) => name.startsWith('present.'))
      .map(([name, tensor]) => [name.replace('present.', 'past.'), tensor]),
  );
}

/** The best of the text tokens, the last of which ends the text. */
function best(logits: Float32Array, last: number): number {
  let found = 0;
  for (let token = 1; token <= last; token++) if ((logits[token] ?? 0) > (logits[found] ?? 0)) found = token;
  return found;
}
