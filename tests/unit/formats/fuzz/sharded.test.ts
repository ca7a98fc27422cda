import { expect, it } from 'vitest';
import { openWeights } from '../../../../native-models/formats/open-weights.ts';
import { vectorsBytes } from '../../../fixtures/formats/safetensors-bytes.ts';
import { busyMachine, filesPerReader, fuzzReader, type Sample } from './fuzz-reader.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import type { Random } from './random.ts';

const index = {
  metadata: { total_size: 24 },
  weight_map: { a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' },
};
const indexBytes = Buffer.from(JSON.stringify(index));
const one = vectorsBytes({ a: [1, 2], b: [3] });
const two = vectorsBytes({ c: [4, 5, 6] });

function sample(random: Random): Sample {
  const shard = random.chance(0.2) ? mutateBytes(two, random) : two;
  const text = random.chance(0.7) ? Buffer.from(mutateJson(index, random)) : mutateBytes(indexBytes, random);
  const files = {
    '/m/model.safetensors.index.json': text,
    '/m/one.safetensors': one,
    '/m/two.safetensors': shard,
    '/outside': one,
    '/etc/passwd': one,
  };
  return { files, path: random.chance(0.5) ? '/m' : '/m/model.safetensors.index.json' };
}

it(
  `${filesPerReader} mutated indexes of weights in several files are read or refused`,
  () => {
    const { opened, refused } = fuzzReader(openWeights, sample, 2_000_000);
    expect(Math.min(opened, refused)).toBeGreaterThan(100);
  },
  busyMachine,
);
