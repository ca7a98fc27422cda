import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import type { LlmRequest } from '../../../native-models/architectures/llms/llm.ts';
import { golden, type TinyConfig } from '../../fixtures/llms/golden.ts';
import { tinyWeights } from '../../fixtures/llms/tiny-weights.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { deviceReader, OpenModel, type Reader, rowsReader } from './open-model.ts';

/** Builds a tiny model out of a config.json and numbered weights, in single precision unless told otherwise. */
export async function buildTiny(
  config: TinyConfig,
  change: Partial<LlmRequest> = {},
  json: object = config,
): Promise<OpenModel> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json));
  const built = await buildLlm({
    ...{ weights: tinyWeights(config), sourceFolder: folder, architecture: null, lora: null, folder },
    ...{ quantize: 'none', target: 'cpu' },
    ...change,
  });
  return new OpenModel(folder, built, { intraOpNumThreads: 1 });
}

/** The largest difference, of the golden values' largest magnitude. */
export function difference(ours: Float32Array, theirs: Float32Array): number {
  expect(ours).toHaveLength(theirs.length);
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = (value: number, i: number) => Math.abs(value - (ours[i] ?? Number.NaN));
  return theirs.reduce((most, value, i) => Math.max(most, apart(value, i)), 0) / largest;
}

/** Logits at the ends of the pieces that the prompt is read in. */
export async function readInPieces(reader: Reader, pieces: readonly number[]): Promise<Float32Array[]> {
  const logits: Float32Array[] = [];
  let read = 0;
  for (const piece of pieces) {
    logits.push(await reader.read(golden.ids.slice(read, read + piece)));
    read += piece;
  }
  expect(read).toBe(golden.ids.length);
  return logits;
}

export const whole = [golden.ids.length];
export const singly = golden.ids.map(() => 1);
const inPieces = [13, 1, 1, 5, 2];

/** How far off the worst position is, however the prompt is read, in either form. */
export async function worstDifference(
  model: OpenModel,
  expected: readonly Float32Array[],
  loraScale = 0,
): Promise<{ rows: number; device: number }> {
  const worst = async (open: () => Promise<Reader>) => {
    let most = 0;
    for (const pieces of [whole, singly, inPieces]) {
      const ends = pieces.map((_, i) => pieces.slice(0, i + 1).reduce((sum, piece) => sum + piece, 0) - 1);
      (await readInPieces(await open(), pieces)).forEach((logits, i) => {
        most = Math.max(most, difference(logits, expected[ends[i] ?? 0] ?? new Float32Array()));
      });
    }
    return most;
  };
  return {
    rows: await worst(() => rowsReader(model, loraScale, 32)),
    device: await worst(() => deviceReader(model, loraScale)),
  };
}
