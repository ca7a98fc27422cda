import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { probePublished } from '../../../native-models/published/probe-published.ts';
import type { FixtureFamily } from '../../fixtures/published/family-files.ts';
import { clip, golden, writePublished } from '../../fixtures/published/published-kit.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const clips: Record<FixtureFamily, Float32Array[]> = {
  ultravox: [clip('ultravox-1', 20_803), clip('ultravox-2', 7_001)],
  voxtral: [clip('voxtral-1', 20_803), clip('voxtral-2', 7_001)],
  granite_speech: [clip('granite', 20_803)],
  gemma3n: [clip('gemma3n', 20_803)],
};

describe.each(Object.keys(clips) as FixtureFamily[])('a published %s', (family) => {
  const expected = golden(family);

  it('gives the features, vectors and logits of its original, with every clip in its place', async () => {
    const folder = await writePublished(temporaryFolder(), family);
    const out = join(folder, 'probe.safetensors');
    const shapes = await probePublished({
      folder,
      clips: clips[family],
      ids: expected.integers('prompt'),
      out,
    });
    const found = new Safetensors(out);
    const several = clips[family].length > 1;
    const tensor = (name: string) => found.tensor(name).float32();

    const features = tensor(several ? 'features.0' : 'features');
    const [frames = 0, bands = 0] = expected.integers('feature_shape');
    expect(shapes[several ? 'features.0' : 'features']).toEqual([bands, frames]);
    const kept = expected
      .integers('feature_frames')
      .flatMap((frame) => Array.from({ length: bands }, (_, band) => features[band * frames + frame] ?? 0));
    expect(farthest(kept, expected.floats('features'))).toBeLessThanOrEqual(1e-4);

    const audio = (several ? ['adaptor.0', 'adaptor.1'] : ['adaptor']).flatMap((name) => [...tensor(name)]);
    const [tokens = 0, hidden = 0] = expected.integers('audio_shape');
    expect(audio).toHaveLength(tokens * hidden);
    const rows = expected
      .integers('audio_rows')
      .flatMap((row) => audio.slice(row * hidden, (row + 1) * hidden));
    expect(farthest(rows, expected.floats('audio'))).toBeLessThanOrEqual(1e-4);

    const logits = tensor('logits');
    const vocabulary = shapes.logits?.[1] ?? 0;
    const there = expected
      .integers('positions')
      .flatMap((at) => [...logits.subarray(at * vocabulary, (at + 1) * vocabulary)]);
    expect(farthest(there, expected.floats('logits'))).toBeLessThanOrEqual(1e-4);
  });
});

/** The largest difference, as a part of the largest magnitude. */
function farthest(found: ArrayLike<number>, expected: Float32Array): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs((found[i] ?? 0) - value)), 0) / largest;
}
