import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import { extractFeatures } from '../features/extract-features.ts';
import { type Padding, padForEncoder } from '../features/whisper-log-mel.ts';
import { type OutputTensor, writeSafetensors } from '../formats/safetensors-writer.ts';
import type { BundleManifest } from './manifest.ts';
import { probeLlm } from './probe-llm.ts';
import { promptIds } from './probe-prompt.ts';
import type { ProbeRequest } from './probe-request.ts';
import { openBundle } from './verify.ts';

/**
 * Runs a clip, a prompt or both through the very graphs that the engine uses, and writes down what comes out of each: float32
 * `features` [mel, frames], `encoder` [frames, d], `adaptor` [tokens, H], `logits` [positions, vocabulary] of every position,
 * and int64 `ids` (-1 at audio positions), beside int64 `labels` of the adaptor's head. What the bundle or the request lacks is
 * left out. Gives the shapes. Throws `ModelError`.
 */
export async function probeBundle(request: ProbeRequest): Promise<Record<string, readonly number[]>> {
  const manifest = await openBundle(request.folder);
  const sound = request.samples === null ? null : await hear(request, request.samples, manifest);
  const found: Record<string, OutputTensor> = { ...sound?.labels, ...sound?.tensors };
  const prompt = await promptIds(request, manifest);
  if (prompt !== null) {
    const vectors = sound?.tensors.adaptor?.data ?? null;
    const { ids, logits } = await probeLlm(request, manifest, prompt, vectors);
    Object.assign(found, { ids, logits });
  }
  const wide = Object.entries(found).sort(
    ([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT,
  );
  await writeSafetensors(request.out, Object.fromEntries(wide));
  return Object.fromEntries(Object.entries(found).map(([name, { shape }]) => [name, shape]));
}

interface Heard {
  readonly tensors: Partial<
    Record<'features' | 'encoder' | 'adaptor', { shape: number[]; data: Float32Array }>
  >;
  readonly labels: { readonly labels?: { shape: number[]; data: BigInt64Array } };
}

async function hear(request: ProbeRequest, samples: Float32Array, manifest: BundleManifest): Promise<Heard> {
  const { features, encoder, adaptor } = manifest;
  if (features === null || encoder === null)
    throw new ModelError(
      'not-supported',
      `The bundle ${manifest.id} has no speech encoder.`,
      'Probe it without sound.',
    );
  const mel = extractFeatures(padForEncoder(samples, paddingOf(request, adaptor)), features);
  const input = new Tensor('float32', mel.data, [1, mel.mels, mel.frames]);
  const encoded = floatsOf(
    await runOnce(join(request.folder, encoder.graph), { features: input }),
    'encoder',
  );
  const frames = encoded.length / encoder.hidden;
  const heard = {
    features: { shape: [mel.mels, mel.frames], data: mel.data },
    encoder: { shape: [frames, encoder.hidden], data: encoded },
  };
  if (adaptor === null) return { tensors: heard, labels: {} };
  const adapted = await runOnce(join(request.folder, adaptor.graph), {
    encoder: new Tensor('float32', encoded, [1, frames, encoder.hidden]),
  });
  const labels = adapted.labels?.data as BigInt64Array;
  const vectors = keptFrames(floatsOf(adapted, 'adaptor'), labels, adaptor);
  return {
    tensors: {
      ...heard,
      adaptor: { shape: [vectors.length / adaptor.hidden, adaptor.hidden], data: vectors },
    },
    labels: { labels: { shape: [labels.length], data: labels } },
  };
}

function paddingOf({ pad }: ProbeRequest, adaptor: BundleManifest['adaptor']): Padding {
  if (pad === '30') return { kind: '30s' };
  if (pad === undefined) return adaptor?.padding ?? { kind: '30s' };
  if (adaptor?.padding.kind === 'none') return adaptor.padding;
  // Two feature frames make one encoder frame, and the adaptor stacks whole groups of those.
  return { kind: 'none', tailSeconds: 0, unitSamples: 320 * (adaptor?.stack ?? 1) };
}

/** The frames that the LLM would read: see `selection` in the manifest. */
function keptFrames(
  vectors: Float32Array,
  labels: BigInt64Array,
  { hidden, selection }: NonNullable<BundleManifest['adaptor']>,
): Float32Array {
  if (selection === 'all') return vectors;
  const kept = [...labels.keys()].filter((i) => labels[i] !== 0n && labels[i] !== labels[i - 1]);
  const rows = new Float32Array(kept.length * hidden);
  kept.forEach((frame, i) => {
    rows.set(vectors.subarray(frame * hidden, (frame + 1) * hidden), i * hidden);
  });
  return rows;
}

async function runOnce(graph: string, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(graph, { executionProviders: ['cpu'] });
  try {
    return (await session.run(feeds)) as Record<string, Tensor>;
  } finally {
    await session.release();
  }
}

function floatsOf(outputs: Record<string, Tensor>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array))
    throw new ModelError(
      'bundle-invalid',
      `A graph of the bundle gives no float32 ${name}.`,
      'Build the bundle again.',
    );
  return data;
}
