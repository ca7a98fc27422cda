import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { probePublished } from '../../../native-models/published/probe-published.ts';
import type { Dtype } from '../../../native-models/published/schemas.ts';
import { clip, golden, writePublished } from '../../fixtures/published/published-kit.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const expected = golden('ultravox');

/** 4-bit weights are compared with the original computed with the values that they stand for. */
const kinds: ReadonlyArray<[Dtype, string]> = [
  ['fp16', 'logits'],
  ['q8', 'logits'],
  ['q4', 'logits_q4'],
  ['q4f16', 'logits_q4'],
];

it.each(kinds)('a decoder with %s weights gives the logits of its original', async (dtype, logits) => {
  const folder = await writePublished(temporaryFolder(), 'ultravox');
  const out = join(folder, 'probe.safetensors');
  const clips = [clip('ultravox-1', 20_803), clip('ultravox-2', 7_001)];
  const request = { folder, clips, ids: expected.integers('prompt'), out };
  const shapes = await probePublished(request, { dtype: { decoder_model_merged: dtype } });
  const found = new Safetensors(out).tensor('logits').float32();
  const vocabulary = shapes.logits?.[1] ?? 0;
  const there = expected
    .integers('positions')
    .flatMap((at) => [...found.subarray(at * vocabulary, (at + 1) * vocabulary)]);
  expect(cosineSimilarity(Float32Array.from(there), expected.floats(logits))).toBeGreaterThanOrEqual(0.999);
});
