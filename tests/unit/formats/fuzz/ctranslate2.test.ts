import { expect, it } from 'vitest';
import { CTranslate2Model } from '../../../../native-models/formats/ctranslate2.ts';
import { modelBytes, variableBytes } from '../ctranslate2-bytes.ts';
import { busyMachine, filesPerReader, fuzzReader, type Sample } from './fuzz-reader.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { awkwardNames, awkwardNumbers, Random } from './random.ts';

const widths = [4, 1, 2, 4, 2, 2];

function perhaps(random: Random, rarely: number, usual: number): number {
  const value = random.chance(rarely) ? random.pick(awkwardNumbers) : usual;
  return Number.isFinite(value) ? Number(BigInt.asUintN(32, BigInt(Math.trunc(value)))) : 2 ** 32 - 1;
}

/** A model with int8 rows, their scales and aliases, in which each number is wrong with a chance of `rarely`. */
function madeUp(random: Random, rarely: number): Buffer {
  const variables: Buffer[] = [];
  const names: string[] = [];
  for (let i = random.below(4); i >= 0; i--) {
    const name = random.chance(rarely) ? random.pick(awkwardNames) : `layer_${i}/weight`;
    const [rows, columns, type] = [random.below(4), 1 + random.below(5), random.below(6)];
    const data = random.bytes(rows * columns * (widths[type] ?? 1));
    const shape = [perhaps(random, rarely, rows), perhaps(random, rarely, columns)];
    const code = random.chance(rarely) ? random.below(256) : type;
    variables.push(variableBytes(name, shape, code, data, perhaps(random, rarely, data.length)));
    names.push(name);
    const scales = Float32Array.from({ length: random.chance(rarely) ? random.below(6) : rows }, () =>
      random.pick([1, 0.5, 0, Number.NaN, Number.POSITIVE_INFINITY]),
    );
    if (type === 1) variables.push(variableBytes(`${name}_scale`, [scales.length], 0, scales));
  }
  const target = random.chance(rarely) ? random.pick(awkwardNames) : random.pick(names);
  return modelBytes(variables, [['alias', target]], perhaps(random, rarely, 6), {
    variables: perhaps(random, rarely, variables.length),
    aliases: perhaps(random, rarely, 1),
  });
}

const whole = madeUp(new Random(4), 0);

function sample(random: Random): Sample {
  const bytes = random.chance(0.4) ? mutateBytes(whole, random) : madeUp(random, random.pick([0, 0.02, 0.1]));
  return { path: '/m/model.bin', files: { '/m/model.bin': bytes } };
}

it(
  `${filesPerReader} mutated CTranslate2 models are read or refused`,
  () => {
    const { opened, refused } = fuzzReader((...file) => new CTranslate2Model(...file), sample, 4_000_000);
    expect(Math.min(opened, refused)).toBeGreaterThan(1000);
  },
  busyMachine,
);
