import { describe, expect, it } from 'vitest';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import {
  matrixSpectrum,
  type Spectrum,
  spectrumSchema,
  tensorSpectrum,
} from '../../../native-models/spectrum/spectrum.ts';
import { spectrumSvg } from '../../../native-models/spectrum/spectrum-svg.ts';
import { numbered } from '../../fixtures/foundry/numbered-weights.ts';

/** A matrix whose singular values are known: they stand on its diagonal. */
function diagonal(values: readonly number[], columns = values.length) {
  const matrix = new Float32Array(values.length * columns);
  values.forEach((value, i) => {
    matrix[i * columns + i] = value;
  });
  return { rows: values.length, columns, values: matrix };
}

describe('the spectrum of a matrix', () => {
  it('has the singular values largest first, whatever their order and sign in the matrix', () => {
    const { singularValues, shape } = matrixSpectrum('m', diagonal([1, -4, 0, 3, 2], 7));
    expect(shape).toEqual([5, 7]);
    [4, 3, 2, 1, 0].forEach((value, i) => {
      expect(singularValues[i]).toBeCloseTo(value, 7);
    });
  });

  it('says how much energy the top k hold, and how many hold nine tenths', () => {
    const { totalEnergy, energyOfTop, vectorsForEnergy } = matrixSpectrum('m', diagonal([3, 1, 0.1]));
    expect(totalEnergy).toBeCloseTo(10.01, 5);
    expect(energyOfTop).toEqual([{ k: 3, energy: 1 }]);
    expect(vectorsForEnergy).toEqual([
      { energy: 0.9, k: 2 },
      { energy: 0.95, k: 2 },
      { energy: 0.99, k: 2 },
    ]);
  });

  it('counts directions that are used alike as one rank each', () => {
    expect(matrixSpectrum('m', diagonal([2, 2, 2, 2])).effectiveRank).toBeCloseTo(4, 6);
    expect(matrixSpectrum('m', diagonal([2, 2, 2, 0])).effectiveRank).toBeCloseTo(3, 3);
  });

  it('of zeros is zeros, without a division by them', () => {
    const spectrum = matrixSpectrum('m', diagonal([0, 0, 0]));
    expect(spectrum.singularValues).toEqual([0, 0, 0]);
    expect(spectrum.effectiveRank).toBe(0);
    expect(spectrumSchema.parse({ matrices: [spectrum] })).toEqual({ matrices: [spectrum] });
    expect(spectrumSvg({ matrices: [spectrum] })).not.toMatch(/NaN|Infinity/);
  });

  it('keeps the sum of squares of a matrix of some size', () => {
    const values = numbered('some size', [150, 90], 1);
    const { singularValues } = matrixSpectrum('m', { rows: 150, columns: 90, values });
    const energy = values.reduce((sum, value) => sum + value * value, 0);
    expect(singularValues.reduce((sum, value) => sum + value * value, 0) / energy).toBeCloseTo(1, 9);
  });

  it('is not begun for what would never end', () => {
    const huge = derivedTensor('huge', [100_000, 100_000], () => new Float32Array(0));
    expect(() => tensorSpectrum(huge)).toThrow(expect.objectContaining({ code: 'not-supported' }));
  });
});

describe('the picture of a spectrum', () => {
  const matrix = (name: string) =>
    matrixSpectrum(name, { rows: 30, columns: 20, values: numbered(name, [30, 20], 1) });

  it('shows each matrix, named axes, and says in words what it shows', () => {
    const spectrum: Spectrum = { matrices: [matrix('stack'), matrix('out')], features: matrix('features') };
    const svg = spectrumSvg(spectrum);
    expect(svg.match(/<polyline/g)).toHaveLength(6);
    for (const text of ['stack (30 × 20)', 'out (30 × 20)', 'features (30 × 20)', 'singular value σ'])
      expect(svg).toContain(text);
    expect(svg).toMatch(/role="img" aria-labelledby="title description"/);
    expect(svg).toMatch(/<desc id="description">stack, 30 by 20: .* for 90 %/);
  });

  it('takes nothing out of a name for markup', () => {
    const svg = spectrumSvg({ matrices: [matrix('<script>"&\u0001')] });
    expect(svg).not.toContain('<script>');
    expect(svg).toContain('&lt;script&gt;"&amp;  (30 × 20)');
  });

  it('is drawn for a single singular value too', () => {
    const svg = spectrumSvg({ matrices: [matrixSpectrum('one', diagonal([2]))] });
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});
