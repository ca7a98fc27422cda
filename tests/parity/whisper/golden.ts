import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';

const root = new URL('../../../', import.meta.url);
const fixtures = new URL('tests/fixtures/whisper/', root);

/** What tests/fixtures/whisper/make_golden.py noted down about the clip. */
export const golden = z
  .object({
    clip: z.string(),
    samples: z.number(),
    frames: z.number(),
    transcript: z.string(),
    prompt: z.string(),
  })
  .parse(JSON.parse(readFileSync(new URL('golden.json', fixtures), 'utf8')));

export function goldenTensors(): Safetensors {
  return new Safetensors(fileURLToPath(new URL('golden.safetensors', fixtures)));
}

/** The recorded clip of the golden tensors: 16 kHz, one channel, 16 bits, after a header of 44 bytes. */
export function clip(): Float32Array {
  const bytes = readFileSync(new URL(golden.clip, root)).subarray(44);
  return Float32Array.from({ length: golden.samples }, (_, i) => bytes.readInt16LE(2 * i) / 32768);
}
