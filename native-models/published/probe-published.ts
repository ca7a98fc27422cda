import { join } from 'node:path';
import { promptIds } from '../bundles/probe-prompt.ts';
import type { ProbeRequest } from '../bundles/probe-request.ts';
import { type OutputTensor, writeSafetensors } from '../formats/safetensors-writer.ts';
import { rowWidth } from './decoder-layout.ts';
import { mergingOf } from './merge-audio.ts';
import { openGraph } from './open-graph.ts';
import { type OpenPublishedOptions, openPublished, type PublishedBundle } from './open-published.ts';
import { Past } from './past.ts';
import { PublishedDecoder } from './published-decoder.ts';
import { PublishedEmbedder } from './published-embedder.ts';
import { PublishedEncoder } from './published-encoder.ts';
import { publishedManifest } from './published-manifest.ts';

/** Stands for a whole clip in a request's prompt, and for each of its vectors in what is written. */
const audioId = -1;

interface HeardClip {
  /** [bands, frames of all windows] */
  readonly features: OutputTensor;
  /** [vectors, hidden] */
  readonly adaptor: { shape: number[]; data: Float32Array };
}

/**
 * Runs clips, a prompt or both through a published bundle's graphs and writes what `probeBundle` writes of a built one: float32
 * `features` [bands, frames], `adaptor` [vectors, H], `logits` [positions, vocabulary] of every position, and int64 `ids` (-1 at
 * audio positions); numbered where there are several clips. What lies between the features and the vectors is inside one graph.
 * Gives the shapes. Throws `ModelError`.
 */
export async function probePublished(
  request: ProbeRequest,
  options: OpenPublishedOptions = {},
): Promise<Record<string, readonly number[]>> {
  const bundle = openPublished(request.folder, options);
  const prompt = await promptIds(request, publishedManifest(bundle));
  const heard = await hearClips(bundle, request.clips);
  const found: Record<string, OutputTensor> = {};
  heard.forEach(({ features, adaptor }, i) => {
    const suffix = heard.length === 1 ? '' : `.${i}`;
    found[`features${suffix}`] = features;
    found[`adaptor${suffix}`] = adaptor;
  });
  if (prompt !== null)
    Object.assign(
      found,
      await readPrompt(
        bundle,
        prompt,
        heard.map(({ adaptor }) => adaptor),
      ),
    );
  // Tensors of wide elements come first, so that each begins at a multiple of its element.
  const wide = Object.entries(found).sort(
    ([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT,
  );
  await writeSafetensors(request.out, Object.fromEntries(wide));
  return Object.fromEntries(Object.entries(found).map(([name, { shape }]) => [name, shape]));
}

async function hearClips(bundle: PublishedBundle, clips: readonly Float32Array[]): Promise<HeardClip[]> {
  if (clips.length === 0) return [];
  const graph = await openGraph(bundle.folder, bundle.audioEncoder);
  try {
    const encoder = new PublishedEncoder(graph, bundle.hearing);
    const heard: HeardClip[] = [];
    for (const clip of clips) heard.push(await hearClip(bundle, encoder, clip));
    return heard;
  } finally {
    await graph.close();
  }
}

async function hearClip(
  { hearing, layout }: PublishedBundle,
  encoder: PublishedEncoder,
  clip: Float32Array,
): Promise<HeardClip> {
  const features = [];
  const vectors: Float32Array[] = [];
  for (let at = 0; at === 0 || at < clip.length; at += hearing.windowSamples) {
    const window = hearing.prepare(clip.subarray(at, at + hearing.windowSamples));
    features.push(window.features);
    vectors.push(await encoder.encode(window));
  }
  const mels = features[0]?.mels ?? 0;
  const frames = features.reduce((sum, window) => sum + window.frames, 0);
  const data = new Float32Array(mels * frames);
  let from = 0;
  for (const window of features) {
    for (let mel = 0; mel < mels; mel++)
      data.set(window.data.subarray(mel * window.frames, (mel + 1) * window.frames), mel * frames + from);
    from += window.frames;
  }
  const joined = concatenated(vectors);
  const { hidden } = layout;
  return {
    features: { shape: [mels, frames], data },
    adaptor: { shape: [joined.length / hidden, hidden], data: joined },
  };
}

async function readPrompt(
  bundle: PublishedBundle,
  prompt: readonly number[],
  heard: ReadonlyArray<HeardClip['adaptor']>,
): Promise<Record<string, OutputTensor>> {
  let next = 0;
  const ids = prompt.flatMap((id) =>
    id === audioId ? new Array<number>(heard[next++]?.shape[0] ?? 0).fill(audioId) : [id],
  );
  const embedding = await openGraph(bundle.folder, bundle.embedTokens);
  const decoding = await openGraph(bundle.folder, bundle.decoder);
  try {
    const decoder = new PublishedDecoder(decoding);
    const embedder = new PublishedEmbedder(
      embedding,
      decoder.layout,
      bundle.audioToken,
      mergingOf(join(bundle.folder, bundle.audioEncoder.path)),
    );
    const rows = await embedder.rows(
      ids.map((id) => (id === audioId ? bundle.audioToken : id)),
      concatenated(heard.map(({ data }) => data)),
    );
    const logits = await allLogits(decoder, rows);
    return {
      ids: { shape: [ids.length], data: BigInt64Array.from(ids, BigInt) },
      logits: { shape: [ids.length, logits.length / ids.length], data: logits },
    };
  } finally {
    await embedding.close();
    await decoding.close();
  }
}

/** Of every position: in one run where the graph gives them all, one by one where it gives only the last one's. */
async function allLogits(decoder: PublishedDecoder, rows: Float32Array): Promise<Float32Array> {
  const width = rowWidth(decoder.layout);
  const positions = rows.length / width;
  const { logits, count } = await decoder.run(rows, new Past(decoder.layout.pasts), 0);
  if (count === positions) return logits;
  const past = new Past(decoder.layout.pasts);
  const each: Float32Array[] = [];
  for (let position = 0; position < positions; position++)
    each.push((await decoder.run(rows.subarray(position * width, (position + 1) * width), past, 1)).logits);
  return concatenated(each);
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
