import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import { encoderInput, type Padding, secondEncoderInput } from '../features/encoder-input.ts';
import { extractFeatures } from '../features/extract-features.ts';
import type { FeatureSettings } from '../features/feature-settings.ts';
import type { BundleManifest } from './manifest.ts';
import { wholeUnit } from './padding.ts';
import type { ProbeRequest } from './probe-request.ts';

interface Floats {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface Integers {
  readonly shape: readonly number[];
  readonly data: BigInt64Array;
}

/** What a clip becomes at every border; what the bundle has no part for is left out. */
export interface Heard {
  readonly features: Floats;
  readonly encoder: Floats;
  readonly ctc?: Floats;
  readonly secondEncoder?: Floats;
  readonly labels?: Integers;
  readonly adaptor?: Floats;
}

type HearingRequest = Pick<ProbeRequest, 'folder' | 'pad'>;

/** Takes a clip from its samples to the vectors that the LLM reads. Throws `ModelError`. */
export async function hearClip(
  request: HearingRequest,
  samples: Float32Array,
  manifest: BundleManifest,
): Promise<Heard> {
  const { folder } = request;
  const { features, encoder, secondEncoder } = manifest;
  if (features === null || encoder === null)
    throw new ModelError(
      'not-supported',
      `The bundle ${manifest.id} has no speech encoder.`,
      'Probe it without sound.',
    );
  const input = encoderInput(samples, paddingOf(request, manifest), encoder);
  const first = await encode(folder, input, features, encoder);
  const second =
    secondEncoder &&
    (await encode(
      folder,
      secondEncoderInput(samples, encoder, secondEncoder),
      secondEncoder.features,
      secondEncoder,
    ));
  return {
    ...first,
    ...(second && { secondEncoder: second.encoder }),
    ...(await adapt(folder, manifest, first.encoder, second?.encoder ?? null)),
  };
}

async function encode(
  folder: string,
  samples: Float32Array,
  settings: FeatureSettings,
  { graph, hidden }: NonNullable<BundleManifest['encoder']>,
): Promise<Pick<Heard, 'features' | 'encoder' | 'ctc'>> {
  const { data, mels, frames } = extractFeatures(samples, settings);
  const outputs = await runOnce(join(folder, graph), {
    features: new Tensor('float32', data, [1, mels, frames]),
  });
  return {
    features: { shape: [mels, frames], data },
    encoder: rowsOf(outputs, 'encoder', hidden),
    ...(outputs.ctc && { ctc: rowsOf(outputs, 'ctc', outputs.ctc.dims.at(-1) ?? 1) }),
  };
}

async function adapt(
  folder: string,
  { adaptor }: BundleManifest,
  encoder: Floats,
  secondEncoder: Floats | null,
): Promise<Pick<Heard, 'adaptor' | 'labels'>> {
  if (adaptor === null) return {};
  const input = ({ shape, data }: Floats) => new Tensor('float32', data, [1, ...shape]);
  const outputs = await runOnce(join(folder, adaptor.graph), {
    encoder: input(encoder),
    ...(secondEncoder && { secondEncoder: input(secondEncoder) }),
  });
  const all = rowsOf(outputs, 'adaptor', adaptor.hidden);
  const labels = outputs.labels?.data;
  if (!(labels instanceof BigInt64Array)) return { adaptor: all };
  return {
    labels: { shape: [labels.length], data: labels },
    adaptor: adaptor.selection === 'all' ? all : newLabelsOnly(all, labels, adaptor.hidden),
  };
}

function paddingOf({ pad }: HearingRequest, { adaptor, encoder }: BundleManifest): Padding {
  const usual = adaptor?.padding ?? encoder?.padding ?? { kind: '30s' };
  if (pad === '30') return { kind: '30s' };
  if (pad === undefined || usual.kind === 'none' || encoder === null) return usual;
  return { kind: 'none', tailSeconds: 0, unitSamples: wholeUnit(encoder, adaptor?.stack ?? 1) };
}

/** The frames that the LLM would read after `ctc-compress`: whose label is neither the blank nor the one before. */
function newLabelsOnly({ data }: Floats, labels: BigInt64Array, hidden: number): Floats {
  const kept = [...labels.keys()].filter((i) => labels[i] !== 0n && labels[i] !== labels[i - 1]);
  const rows = new Float32Array(kept.length * hidden);
  kept.forEach((frame, i) => {
    rows.set(data.subarray(frame * hidden, (frame + 1) * hidden), i * hidden);
  });
  return { shape: [kept.length, hidden], data: rows };
}

async function runOnce(graph: string, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(graph, { executionProviders: ['cpu'] });
  try {
    return (await session.run(feeds)) as Record<string, Tensor>;
  } finally {
    await session.release();
  }
}

/** [rows, width]. */
function rowsOf(outputs: Record<string, Tensor>, name: string, width: number): Floats {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array) || data.length % width !== 0)
    throw new ModelError(
      'bundle-invalid',
      `A graph of the bundle gives no float32 ${name} of width ${width}.`,
      'Build the bundle again.',
    );
  return { shape: [data.length / width, width], data };
}
