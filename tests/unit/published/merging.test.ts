import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { mergingOf } from '../../../native-models/published/merge-audio.ts';
import { openGraph } from '../../../native-models/published/open-graph.ts';
import { openPublished } from '../../../native-models/published/open-published.ts';
import { probePublished } from '../../../native-models/published/probe-published.ts';
import { PublishedEmbedder } from '../../../native-models/published/published-embedder.ts';
import { clip, golden, mergeOtherwise, writePublished } from '../../fixtures/published/published-kit.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const hidden = 32;
const ids = [1, 20, 127, 127, 21];
const sound = Float32Array.from({ length: 2 * hidden }, (_, i) => i + 1);

let folder: string;
beforeEach(async () => {
  folder = await writePublished(temporaryFolder(), 'ultravox');
});

/** Rows of `ids` with `sound`, merged as the folder's graphs want it. */
async function rows(some: readonly number[] = ids): Promise<Float32Array> {
  const bundle = openPublished(folder);
  const graph = await openGraph(folder, bundle.embedTokens);
  const merging = mergingOf(join(folder, bundle.audioEncoder.path));
  const embedder = new PublishedEmbedder(graph, { hidden, perLayer: null }, 127, merging);
  try {
    return await embedder.rows(some, some === ids ? sound : new Float32Array(0));
  } finally {
    await graph.close();
  }
}

/** One row of several. */
const row = (all: Float32Array, position: number) => [
  ...all.subarray(position * hidden, (position + 1) * hidden),
];

describe('sound in a prompt', () => {
  it('takes the places of its tokens in order, and leaves the text alone', async () => {
    const merged = await rows();
    expect(row(merged, 2)).toEqual([...sound.subarray(0, hidden)]);
    expect(row(merged, 3)).toEqual([...sound.subarray(hidden)]);
    expect(row(merged, 4)).toEqual(row(await rows([21]), 0));
  });

  it('is merged by the embedding graph where that takes it, with the same result', async () => {
    const byHost = await rows();
    await mergeOtherwise(folder, 'merging_embed_tokens');
    expect(await rows()).toEqual(byHost);
  });

  it('is added to the text where the encoder gives vectors to be added', async () => {
    await mergeOtherwise(folder, 'adding_audio_encoder');
    const text = row(await rows([21]), 0);
    const merged = await rows();
    expect(row(merged, 4)).toEqual(text);
    const graph = await openGraph(folder, openPublished(folder).embedTokens);
    const placeholder = await new PublishedEmbedder(graph, { hidden, perLayer: null }, -1, 'add').rows(
      [127],
      new Float32Array(0),
    );
    await graph.close();
    expect(row(merged, 2)).toEqual([...placeholder.map((value, i) => value + (sound[i] ?? 0))]);
  });

  it('must be as many vectors as there are places: both counts are told', async () => {
    await expect(rows([1, 127, 20])).rejects.toThrow(/1 positions for sound, but the sound became 0 vectors/);
  });

  it('gives the same logits whoever merges it', async () => {
    const expected = golden('ultravox');
    const logits = async (name: string) => {
      const out = join(folder, name);
      const clips = [clip('ultravox-1', 20_803), clip('ultravox-2', 7_001)];
      await probePublished({ folder, clips, ids: expected.integers('prompt'), out });
      return new Safetensors(out).tensor('logits').float32();
    };
    const byHost = await logits('host.safetensors');
    await mergeOtherwise(folder, 'merging_embed_tokens');
    expect(await logits('graph.safetensors')).toEqual(byHost);
    await writePublished(folder, 'ultravox');
    await mergeOtherwise(folder, 'adding_audio_encoder');
    expect(await logits('added.safetensors')).not.toEqual(byHost);
  });
});
