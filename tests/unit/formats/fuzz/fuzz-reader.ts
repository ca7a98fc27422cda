import { expect, onTestFinished } from 'vitest';
import { ModelError } from '../../../../native-models/errors.ts';
import type { FileAccess } from '../../../../native-models/formats/file-access.ts';
import { openWeights } from '../../../../native-models/formats/open-weights.ts';
import type { LazyTensor, OpenedWeights } from '../../../../native-models/formats/tensor-source.ts';
import { MemoryFiles } from '../../../fixtures/formats/memory-files.ts';
import { Random } from './random.ts';

export const filesPerReader = 20_000;
/** Some seconds are usual; others may need the processors too. In milliseconds. */
export const busyMachine = 180_000;
const mebibyte = 2 ** 20;
const memoryLimit = 256 * mebibyte;
const slowest = 1000;
const tensorsRead = 6;

/** A folder of files and the one to be opened in it, all under `/m`. */
export interface Sample {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly path: string;
}

interface Outcome {
  opened: number;
  refused: number;
}

/** Opens mutated weights, by their reader or by their content, and reads some tensors of each: see `fuzzFiles`. */
export function fuzzReader(
  reader: (path: string, access: FileAccess) => OpenedWeights,
  makeSample: (random: Random) => Sample,
  seed: number,
): Outcome {
  return fuzzFiles(makeSample, seed, (path, access, random, number) => {
    const open = random.chance(0.3) ? openWeights : reader;
    const weights = open(path, access);
    for (const name of weights.names().slice(0, tensorsRead)) checkTensor(() => weights.tensor(name), number);
    weights.close();
  });
}

/**
 * Gives 20 000 mutated files to `use`. Every one is taken, or fails with a `ModelError`, within a second and 256 MiB, and nothing
 * outside its folder is asked for. What fails is named by its number.
 */
export function fuzzFiles(
  makeSample: (random: Random) => Sample,
  seed: number,
  use: (path: string, access: FileAccess, random: Random, number: number) => void,
): Outcome {
  const outcome = { opened: 0, refused: 0 };
  const before = process.resourceUsage().maxRSS;
  // Most files are refused: half of the time would go into where from.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  onTestFinished(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  for (let number = 0; number < filesPerReader; number++) {
    const sample = makeSample(new Random(seed + number));
    const once = () =>
      isTaken(sample, number, (access) => use(sample.path, access, new Random(seed - number), number));
    let took = timed(() => (once() ? outcome.opened++ : outcome.refused++));
    // A busy machine may halt anything once.
    if (took > slowest) took = timed(once);
    if (took > slowest) expect.fail(`file ${number} takes ${took} ms`);
  }
  const grown = (process.resourceUsage().maxRSS - before) * 1024;
  expect(grown).toBeLessThan(memoryLimit);
  return outcome;
}

function timed(action: () => unknown): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

/** True when the file was taken, false when it was refused as it should be. */
function isTaken({ files }: Sample, number: number, use: (access: FileAccess) => void): boolean {
  const access = new MemoryFiles(files);
  try {
    use(access);
    return true;
  } catch (error) {
    expectRefusal(error, number);
    return false;
  } finally {
    const outside = access.wanted.filter((wanted) => !/^\/m\/[^/]+$/.test(wanted));
    if (outside.length > 0) expect.fail(`file ${number} made ${outside.join(', ')} be opened`);
    if (process.memoryUsage().arrayBuffers > memoryLimit) expect.fail(`file ${number} took too much`);
  }
}

/** Each way of reading a tensor gives its right size or is refused by itself. */
function checkTensor(find: () => LazyTensor, number: number): void {
  attempt(number, () => {
    const tensor = find();
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    attempt(number, () => {
      const { length } = tensor.float32();
      if (length !== count) expect.fail(`file ${number}: ${tensor.name} has ${length} values, not ${count}`);
    });
    attempt(number, () => tensor.read());
    const [rows = 0] = tensor.shape;
    attempt(number, () => {
      const { length } = tensor.rows(rows - 1, 1).float32();
      if (length !== count / rows)
        expect.fail(`file ${number}: a row of ${tensor.name} has ${length} values`);
    });
  });
}

function attempt(number: number, action: () => void): void {
  try {
    action();
  } catch (error) {
    expectRefusal(error, number);
  }
}

function expectRefusal(error: unknown, number: number): void {
  if (error instanceof ModelError && error.message !== '' && error.hint !== '') return;
  throw new Error(`file ${number} is not refused as it should be`, { cause: error });
}
