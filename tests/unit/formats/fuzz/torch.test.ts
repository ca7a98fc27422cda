import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TorchCheckpoint } from '../../../../native-models/formats/torch-checkpoint.ts';
import {
  dict,
  global,
  integer,
  type PickleStep,
  pickle,
  tensor,
  unicode,
} from '../../../fixtures/formats/pickle-steps.ts';
import { zipBytes } from '../../../fixtures/formats/zip-bytes.ts';
import { busyMachine, filesPerReader, fuzzReader, type Sample } from './fuzz-reader.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { awkwardNames, awkwardNumbers, type Random } from './random.ts';

const written = readFileSync(new URL('../../../fixtures/formats/torch-checkpoint.pt', import.meta.url));
const numbers = Buffer.from(Float32Array.from({ length: 12 }, (_, i) => i).buffer);
const storageClasses = [
  'FloatStorage',
  'HalfStorage',
  'LongStorage',
  'ByteStorage',
  'ComplexFloatStorage',
  'X',
];

/** Opcodes of one byte that a pickle may hold anywhere. */
const lonely = [...'(012NR)]}tasueb.Q'].concat([
  '\x81',
  '\x85',
  '\x86',
  '\x87',
  '\x88',
  '\x8f',
  '\x90',
  '\x91',
  '\x93',
  '\x94',
]);

function perhaps(random: Random, rarely: number, usual: number): number {
  const value = random.chance(rarely) ? random.pick(awkwardNumbers) : usual;
  return Number.isSafeInteger(value) ? value : 2 ** 53 - 1;
}

/** Views of a storage of twelve numbers, and settings, in which each number is wrong with a chance of `rarely`. */
function madeUp(random: Random, rarely: number): PickleStep[] {
  const number = (usual: number) => perhaps(random, rarely, usual);
  const view = () => {
    const key = random.chance(rarely) ? random.pick(awkwardNames) : '0';
    const [rows, columns] = [1 + random.below(3), 1 + random.below(4)];
    const strides = random.chance(0.5) ? [columns, 1] : [1, rows];
    const storage = random.chance(rarely) ? random.pick(storageClasses) : 'FloatStorage';
    return tensor(key, number(12), number(0), [number(rows), number(columns)], strides.map(number), storage);
  };
  return dict({
    [random.chance(rarely) ? random.pick(awkwardNames) : 'w']: view(),
    inner: dict({ x: view(), epoch: [integer(number(3))] }),
    list: [
      Buffer.from(']q\x01('),
      ...view(),
      Buffer.from('h\x01'.slice(0, random.chance(rarely) ? 2 : 0)),
      Buffer.from('e'),
    ],
    [random.pick(awkwardNames)]: [unicode(random.pick(awkwardNames))],
  });
}

const anyStep = (random: Random): PickleStep =>
  random.pick<() => PickleStep>([
    () => Buffer.from(random.pick(lonely), 'latin1'),
    () => Buffer.from([random.pick([0x68, 0x71]), random.below(4)]),
    () => integer(perhaps(random, 1, 0)),
    () =>
      global(
        random.pick(['os', 'torch', 'collections', 'argparse']),
        random.pick(['system', 'Size', 'OrderedDict', 'Namespace', 'device']),
      ),
    () => unicode(random.pick(awkwardNames)),
  ])();

function mutateSteps(steps: PickleStep[], random: Random): void {
  const at = random.below(steps.length);
  const chosen = steps[at];
  if (chosen === undefined) return;
  switch (random.below(5)) {
    case 0:
      steps.splice(at, 1);
      break;
    case 1:
      steps.splice(at, 0, anyStep(random));
      break;
    case 2:
      steps[at] = anyStep(random);
      break;
    case 3:
      steps.splice(random.below(steps.length), 0, ...steps.slice(at, at + random.below(8)));
      break;
    default:
      steps[at] = mutateBytes(chosen, random);
  }
}

function bytes(random: Random): Uint8Array {
  if (random.chance(0.3)) return mutateBytes(written, random);
  const steps = madeUp(random, random.pick([0, 0.01, 0.05]));
  for (let left = random.below(4); left > 0; left--) mutateSteps(steps, random);
  const folder = random.chance(0.1) ? random.pick(awkwardNames) : 'archive';
  const zip = zipBytes(
    [
      [`${folder}/data.pkl`, pickle(steps)],
      [`${folder}/data/0`, numbers],
      [`${folder}/version`, Buffer.from('3\n')],
      [`${folder}/${random.chance(0.1) ? random.pick(awkwardNames) : 'byteorder'}`, Buffer.from('little')],
    ],
    { wide: random.chance(0.3) },
  );
  return random.chance(0.3) ? mutateBytes(zip, random) : zip;
}

function sample(random: Random): Sample {
  return { path: '/m/model.pt', files: { '/m/model.pt': bytes(random), '/outside': numbers } };
}

it(
  `${filesPerReader} mutated PyTorch checkpoints are read or refused`,
  () => {
    const { opened, refused } = fuzzReader((...file) => new TorchCheckpoint(...file), sample, 6_000_000);
    expect(Math.min(opened, refused)).toBeGreaterThan(1000);
  },
  busyMachine,
);
