import { expect, onTestFinished } from 'vitest';
import { ModelError } from '../../../../native-models/errors.ts';
import type { FileAccess } from '../../../../native-models/formats/file-access.ts';
import { openWeights } from '../../../../native-models/formats/open-weights.ts';
import type { LazyTensor, OpenedWeights } from '../../../../native-models/formats/tensor-source.ts';
import { MemoryFiles } from '../../../fixtures/formats/memory-files.ts';
import { Random } from './random.ts';

export const filesPerReader = 20_000;
const mebibyte = 2 ** 20;
const memoryLimit = 256 * mebibyte;
const slowest = 1000;
const tensorsRead = 6;

/** A folder of files and the one to be opened in it, all under `/m`. */
export interface Sample {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly path: string;
}

/**
 * Opens 20 000 mutated files and reads some tensors of each. Every one gives tensors of their right size or fails with a
 * `ModelError`, within a second and 256 MiB, and nothing outside its folder is asked for. What fails is named by its number.
 */
export function fuzzReader(
  reader: (path: string, access: FileAccess) => OpenedWeights,
  makeSample: (random: Random) => Sample,
  seed: number,
): { opened: number; refused: number } {
  const outcome = { opened: 0, refused: 0 };
  const before = process.resourceUsage().maxRSS;
  // Most files are refused: half of the time would go into where from.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  onTestFinished(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  for (let number = 0; number < filesPerReader; number++) {
    const random = new Random(seed + number);
    const sample = makeSample(random);
    const open = random.chance(0.3) ? openWeights : reader;
    let took = timed(() => (tryReading(open, sample, number) ? outcome.opened++ : outcome.refused++));
    // A busy machine may halt anything once.
    if (took > slowest) took = timed(() => tryReading(open, sample, number));
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

/** True when the file was opened, false when it was refused as it should be. */
function tryReading(
  open: (path: string, access: FileAccess) => OpenedWeights,
  { files, path }: Sample,
  number: number,
): boolean {
  const access = new MemoryFiles(files);
  try {
    const weights = open(path, access);
    for (const name of weights.names().slice(0, tensorsRead)) checkTensor(() => weights.tensor(name), number);
    weights.close();
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
