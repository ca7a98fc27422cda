import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { matrixSpectrum } from '../../../native-models/spectrum/spectrum.ts';
import { truncated } from '../../../native-models/spectrum/truncated.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';
import { adapted, adaptorRequest } from '../adaptors/adaptor-kit.ts';

const numpySchema = z.object({
  shape: z.tuple([z.number(), z.number()]),
  singularValues: z.array(z.number()),
  effectiveRank: z.number(),
});
const golden = z
  .object({
    tall: numpySchema,
    wide: numpySchema,
    'one row': numpySchema,
    'low rank': numpySchema,
    truncated: z.record(z.string(), z.array(z.number())),
  })
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/spectrum/golden.json', import.meta.url), 'utf8')));

/** What the golden's script makes for `low rank`: a narrow product whose columns are weighted. */
function lowRank(name: string, rows: number, columns: number, rank: number): Float32Array {
  const left = numbered(`${name}.left`, [rows, rank], 1);
  const right = numbered(`${name}.right`, [rank, columns], 1);
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    let sum = 0;
    for (let k = 0; k < rank; k++)
      sum += (left[row * rank + k] ?? 0) * 0.5 ** k * (right[k * columns + (i % columns)] ?? 0);
    return sum;
  });
}

describe('the singular values equal those of numpy', () => {
  it.each(['tall', 'wide', 'one row', 'low rank'] as const)('of a matrix that is %s', (name) => {
    const expected = golden[name];
    const [rows, columns] = expected.shape;
    const values = name === 'low rank' ? lowRank(name, rows, columns, 6) : numbered(name, [rows, columns], 1);
    const { singularValues, effectiveRank } = matrixSpectrum(name, { rows, columns, values });
    expect(singularValues).toHaveLength(expected.singularValues.length);
    const [largest = 0] = expected.singularValues;
    singularValues.forEach((value, i) => {
      expect(Math.abs(value - (expected.singularValues[i] ?? Number.NaN))).toBeLessThan(1e-7 * largest);
    });
    expect(effectiveRank).toBeCloseTo(expected.effectiveRank, 4);
  });
});

describe('a matrix cut down to its top singular values', () => {
  const weight = numbered('aligner.weight', [32, 48], 0.25);

  it.each(Object.entries(golden.truncated))(
    '%s of them: a linear adaptor built so equals numpy',
    async (rank, expected) => {
      const shapes = { 'aligner.weight': [32, 48], 'aligner.bias': [32] };
      const request = adaptorRequest({ shapes, options: { rank: Number(rank) } });
      const { values } = await adapted(adaptorArchitecture('linear').build(request), { frames: 5 });
      expected.forEach((value, i) => {
        expect(Math.abs((values[i] ?? Number.NaN) - value)).toBeLessThan(1e-5);
      });
    },
  );

  it('is the same cut from the turned matrix, and itself with all of them', () => {
    const turned = Float32Array.from(weight, (_, i) => weight[(i % 32) * 48 + Math.floor(i / 32)] ?? 0);
    const cut = truncated({ rows: 32, columns: 48, values: weight }, 7);
    const other = truncated({ rows: 48, columns: 32, values: turned }, 7);
    cut.forEach((value, i) => {
      expect(other[(i % 48) * 32 + Math.floor(i / 48)]).toBeCloseTo(value, 6);
    });
    const whole = truncated({ rows: 32, columns: 48, values: weight }, 32);
    whole.forEach((value, i) => {
      expect(value).toBeCloseTo(weight[i] ?? Number.NaN, 6);
    });
  });
});
