import { expect, it } from 'vitest';
import { ggmlTypes } from '../../../../native-models/formats/ggml-blocks.ts';
import { Gguf } from '../../../../native-models/formats/gguf.ts';
import { GgufWriter } from '../gguf-writer.ts';
import { busyMachine, filesPerReader, fuzzReader, type Sample } from './fuzz-reader.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { awkwardNames, awkwardNumbers, Random } from './random.ts';

const types = Object.values(ggmlTypes);

/** A number as it should be, or, seldom, one that no file should have. */
function perhaps(random: Random, rarely: number, usual: number | bigint): bigint {
  if (!random.chance(rarely)) return BigInt(usual);
  const value = random.pick(awkwardNumbers);
  return BigInt.asUintN(64, Number.isFinite(value) ? BigInt(Math.trunc(value)) : -1n);
}

/** A small file with tensors of all types, in which each number is wrong with a chance of `rarely`. */
function madeUp(random: Random, rarely: number): Buffer {
  const count = 1 + random.below(4);
  const writer = new GgufWriter().head(perhaps(random, rarely, count), perhaps(random, rarely, 5));
  writer.text('general.architecture').uint32(8).text(random.pick(awkwardNames));
  writer
    .text('general.alignment')
    .uint32(4)
    .uint32(Number(perhaps(random, rarely, 32) & 0xffffffffn));
  writer
    .text('tokens')
    .uint32(9)
    .uint32(8)
    .uint64(perhaps(random, rarely, 2))
    .text('a')
    .text('b');
  writer
    .text('numbers')
    .uint32(9)
    .uint32(Number(perhaps(random, rarely, 6) & 255n))
    .uint64(1)
    .float32(0.5);
  writer.text('scale').uint32(6).float32(Number.NaN);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    const type = random.pick(types);
    const [columns, rows] = [type.elements * (1 + random.below(2)), random.below(4)];
    const dimensions = [perhaps(random, rarely, columns), perhaps(random, rarely, rows)];
    const name = random.chance(rarely) ? random.pick(awkwardNames) : `t${i}`;
    const code = random.chance(rarely) ? random.below(40) : type.code;
    writer.tensor(name, dimensions, code, perhaps(random, rarely, offset));
    offset += Math.ceil(((columns * rows) / type.elements) * (type.bytes / 32)) * 32;
  }
  return writer.align().raw(random.bytes(offset)).bytes();
}

const whole = madeUp(new Random(3), 0);

function sample(random: Random): Sample {
  const bytes = random.chance(0.4) ? mutateBytes(whole, random) : madeUp(random, random.pick([0, 0.02, 0.1]));
  return { path: '/m/model', files: { '/m/model': bytes } };
}

it(
  `${filesPerReader} mutated GGUF files are read or refused`,
  () => {
    const { opened, refused } = fuzzReader((...file) => new Gguf(...file), sample, 3_000_000);
    expect(Math.min(opened, refused)).toBeGreaterThan(1000);
  },
  busyMachine,
);
