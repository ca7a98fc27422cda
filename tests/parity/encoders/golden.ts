import { readFileSync } from 'node:fs';
import type { Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import type { EncoderRequest } from '../../../native-models/architectures/encoders/encoder.ts';
import { encoderArchitecture } from '../../../native-models/architectures/encoders/registry.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { numbered, numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { floats, runGraph } from '../../unit/graph/run-graph.ts';

const folder = new URL('../../fixtures/encoders/', import.meta.url);
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** As make_golden.py spreads the weights. */
export const spread = 0.4;

export function shapesOf(name: string): Shapes {
  const models: Record<string, Shapes> = JSON.parse(readFileSync(new URL('models.json', folder), 'utf8'));
  const shapes = models[name];
  if (shapes === undefined) throw new Error(`no model ${name}`);
  return shapes;
}

/** Builds an encoder with numbered weights of these shapes. */
export function build(architecture: string, shapes: Shapes, request: Partial<EncoderRequest> = {}) {
  const weights = numberedSource(shapes, spread);
  const usual = { weights, config: {}, options: {}, kind: 'float', target: 'cpu' } as const;
  return encoderArchitecture(architecture).build({ ...usual, ...request });
}

/** What the encoder makes of numbered features, by the names of its outputs. */
export async function encode(
  encoder: ReturnType<typeof build>,
  frames: number,
): Promise<Record<string, Tensor>> {
  const { mels, kind } = encoder.features;
  const values = numbered('features', [1, mels, frames], 2);
  if (kind !== 'nemo-log-mel')
    return runGraph(encoder.graph, { features: floats(values, [1, mels, frames]) });
  // These come with a frame behind them that does not count, whatever it holds.
  const masked = Array.from({ length: mels }, (_, mel) => [
    ...values.subarray(mel * frames, (mel + 1) * frames),
    9,
  ]);
  return runGraph(encoder.graph, { features: floats(masked.flat(), [1, mels, frames + 1]) });
}

/** Throws when a value is further away than 1e-4 of the golden tensor's largest. */
export function expectGolden(found: Tensor | undefined, name: string, file = 'golden.safetensors'): void {
  const { shape, values } = golden(name, file);
  expect(found?.dims).toEqual([1, ...shape]);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = values.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - Number(found?.data[i]))),
    0,
  );
  expect(worst / largest).toBeLessThan(1e-4);
}

/** For quantised weights. */
export function expectSimilar(found: Tensor | undefined, name: string, file = 'golden.safetensors'): void {
  const { shape, values } = golden(name, file);
  expect(found?.dims).toEqual([1, ...shape]);
  expect(cosineSimilarity(found?.data as Float32Array, values)).toBeGreaterThan(0.999);
}

export function golden(name: string, file: string) {
  const source = new Safetensors(new URL(file, folder).pathname);
  try {
    const tensor = source.tensor(name);
    return { shape: tensor.shape, values: tensor.float32() };
  } finally {
    source.close();
  }
}
