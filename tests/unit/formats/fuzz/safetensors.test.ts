import { expect, it } from 'vitest';
import { Safetensors } from '../../../../native-models/formats/safetensors.ts';
import { safetensorsBytes } from '../../../fixtures/formats/safetensors-bytes.ts';
import { busyMachine, filesPerReader, fuzzReader, type Sample } from './fuzz-reader.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { awkwardNumbers, type Random } from './random.ts';

const header = {
  __metadata__: { format: 'pt' },
  a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  b: { dtype: 'F16', shape: [4], data_offsets: [24, 32] },
  c: { dtype: 'I64', shape: [], data_offsets: [32, 40] },
  d: { dtype: 'F8_E4M3', shape: [2, 2], data_offsets: [40, 44] },
  e: { dtype: 'BF16', shape: [0, 5], data_offsets: [44, 44] },
};
const whole = safetensorsBytes(header, Buffer.from(Array.from({ length: 44 }, (_, i) => 5 * i)));

function sample(random: Random): Sample {
  return { path: '/m/model', files: { '/m/model': bytes(random) } };
}

function bytes(random: Random): Uint8Array {
  if (random.chance(0.4)) return mutateBytes(whole, random);
  const length = random.chance(0.1) ? BigInt.asUintN(64, BigInt(Math.trunc(wholeNumber(random)))) : undefined;
  return safetensorsBytes(mutateJson(header, random), whole.subarray(-44), length);
}

function wholeNumber(random: Random): number {
  const value = random.pick(awkwardNumbers);
  return Number.isFinite(value) ? value : 0;
}

it(
  `${filesPerReader} mutated safetensors files are read or refused`,
  () => {
    const { opened, refused } = fuzzReader((...file) => new Safetensors(...file), sample, 1_000_000);
    expect(Math.min(opened, refused)).toBeGreaterThan(100);
  },
  busyMachine,
);
