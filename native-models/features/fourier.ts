/**
 * Power spectra of real frames by a mixed-radix (4, 5 and 2) Stockham transform. Whisper's 400-point frames are not a power of
 * two; two real frames travel through one complex transform, so a frame costs half of it.
 */
export class PowerSpectrum {
  readonly size: number;
  /** size / 2 + 1 */
  readonly bins: number;
  readonly #stages: readonly Stage[];
  #real: Float64Array;
  #imaginary: Float64Array;
  #nextReal: Float64Array;
  #nextImaginary: Float64Array;

  /** @param size an even product of twos and fives, such as 400 or 512 */
  constructor(size: number) {
    this.size = size;
    this.bins = size / 2 + 1;
    this.#stages = planStages(size);
    this.#real = new Float64Array(size);
    this.#imaginary = new Float64Array(size);
    this.#nextReal = new Float64Array(size);
    this.#nextImaginary = new Float64Array(size);
  }

  /** Writes |DFT(first)|² and |DFT(second)|², `bins` values each. The frames have `size` values. */
  pair(first: Float64Array, second: Float64Array, firstPower: Float64Array, secondPower: Float64Array): void {
    this.#real.set(first);
    this.#imaginary.set(second);
    for (const stage of this.#stages) {
      passes[stage.radix](stage, this.#real, this.#imaginary, this.#nextReal, this.#nextImaginary);
      [this.#real, this.#nextReal] = [this.#nextReal, this.#real];
      [this.#imaginary, this.#nextImaginary] = [this.#nextImaginary, this.#imaginary];
    }
    this.#separate(firstPower, secondPower);
  }

  /** The first frame's spectrum is the conjugate-symmetric part of the sum, the second's the antisymmetric part. */
  #separate(firstPower: Float64Array, secondPower: Float64Array): void {
    const real = this.#real;
    const imaginary = this.#imaginary;
    for (let bin = 0; bin < this.bins; bin++) {
      const mirrored = bin === 0 ? 0 : this.size - bin;
      const realHere = real[bin] ?? 0;
      const realThere = real[mirrored] ?? 0;
      const imaginaryHere = imaginary[bin] ?? 0;
      const imaginaryThere = imaginary[mirrored] ?? 0;
      const evenReal = realHere + realThere;
      const evenImaginary = imaginaryHere - imaginaryThere;
      const oddReal = imaginaryHere + imaginaryThere;
      const oddImaginary = realThere - realHere;
      firstPower[bin] = (evenReal * evenReal + evenImaginary * evenImaginary) / 4;
      secondPower[bin] = (oddReal * oddReal + oddImaginary * oddImaginary) / 4;
    }
  }
}

interface Stage {
  readonly radix: 2 | 4 | 5;
  /** Transforms of `radix` points to do, times `stride` interleaved sequences. */
  readonly groups: number;
  readonly stride: number;
  /** cos and sin of −2π·group·k/length at [2·(group·radix + k)]. */
  readonly twiddles: Float64Array;
}

function planStages(size: number): Stage[] {
  const stages: Stage[] = [];
  let length = size;
  let stride = 1;
  while (length > 1) {
    const radix = length % 4 === 0 ? 4 : length % 5 === 0 ? 5 : length % 2 === 0 ? 2 : 0;
    if (radix === 0)
      throw new RangeError(`A transform of ${size} points is not a product of twos and fives.`);
    const groups = length / radix;
    const twiddles = new Float64Array(2 * length);
    for (let group = 0; group < groups; group++) {
      for (let k = 0; k < radix; k++) {
        const angle = (-2 * Math.PI * group * k) / length;
        twiddles[2 * (group * radix + k)] = Math.cos(angle);
        twiddles[2 * (group * radix + k) + 1] = Math.sin(angle);
      }
    }
    stages.push({ radix, groups, stride, twiddles });
    length = groups;
    stride *= radix;
  }
  return stages;
}

function radixTwo(
  { groups, stride, twiddles }: Stage,
  real: Float64Array,
  imaginary: Float64Array,
  outReal: Float64Array,
  outImaginary: Float64Array,
): void {
  const step = stride * groups;
  for (let group = 0; group < groups; group++) {
    for (let lane = 0; lane < stride; lane++) {
      const i = lane + stride * group;
      const [ar, ai] = [real[i] ?? 0, imaginary[i] ?? 0];
      const [br, bi] = [real[i + step] ?? 0, imaginary[i + step] ?? 0];
      const o = lane + stride * 2 * group;
      outReal[o] = ar + br;
      outImaginary[o] = ai + bi;
      rotate(outReal, outImaginary, o + stride, ar - br, ai - bi, twiddles, 4 * group + 2);
    }
  }
}

function radixFour(
  { groups, stride, twiddles }: Stage,
  real: Float64Array,
  imaginary: Float64Array,
  outReal: Float64Array,
  outImaginary: Float64Array,
): void {
  const step = stride * groups;
  for (let group = 0; group < groups; group++) {
    const w = 8 * group;
    const c1 = twiddles[w + 2] ?? 0;
    const s1 = twiddles[w + 3] ?? 0;
    const c2 = twiddles[w + 4] ?? 0;
    const s2 = twiddles[w + 5] ?? 0;
    const c3 = twiddles[w + 6] ?? 0;
    const s3 = twiddles[w + 7] ?? 0;
    for (let lane = 0; lane < stride; lane++) {
      const i = lane + stride * group;
      const ar = real[i] ?? 0;
      const ai = imaginary[i] ?? 0;
      const br = real[i + step] ?? 0;
      const bi = imaginary[i + step] ?? 0;
      const cr = real[i + 2 * step] ?? 0;
      const ci = imaginary[i + 2 * step] ?? 0;
      const dr = real[i + 3 * step] ?? 0;
      const di = imaginary[i + 3 * step] ?? 0;
      const sumR = ar + cr;
      const sumI = ai + ci;
      const differenceR = ar - cr;
      const differenceI = ai - ci;
      const oddSumR = br + dr;
      const oddSumI = bi + di;
      // (b − d) turned by −90°
      const turnedR = bi - di;
      const turnedI = dr - br;
      const o = lane + stride * 4 * group;
      outReal[o] = sumR + oddSumR;
      outImaginary[o] = sumI + oddSumI;
      const y1r = differenceR + turnedR;
      const y1i = differenceI + turnedI;
      outReal[o + stride] = y1r * c1 - y1i * s1;
      outImaginary[o + stride] = y1r * s1 + y1i * c1;
      const y2r = sumR - oddSumR;
      const y2i = sumI - oddSumI;
      outReal[o + 2 * stride] = y2r * c2 - y2i * s2;
      outImaginary[o + 2 * stride] = y2r * s2 + y2i * c2;
      const y3r = differenceR - turnedR;
      const y3i = differenceI - turnedI;
      outReal[o + 3 * stride] = y3r * c3 - y3i * s3;
      outImaginary[o + 3 * stride] = y3r * s3 + y3i * c3;
    }
  }
}

const cos72 = Math.cos((2 * Math.PI) / 5);
const sin72 = Math.sin((2 * Math.PI) / 5);
const cos144 = Math.cos((4 * Math.PI) / 5);
const sin144 = Math.sin((4 * Math.PI) / 5);

function radixFive(
  { groups, stride, twiddles }: Stage,
  real: Float64Array,
  imaginary: Float64Array,
  outReal: Float64Array,
  outImaginary: Float64Array,
): void {
  const step = stride * groups;
  for (let group = 0; group < groups; group++) {
    const w = 10 * group;
    for (let lane = 0; lane < stride; lane++) {
      const i = lane + stride * group;
      const ar = real[i] ?? 0;
      const ai = imaginary[i] ?? 0;
      const br = real[i + step] ?? 0;
      const bi = imaginary[i + step] ?? 0;
      const cr = real[i + 2 * step] ?? 0;
      const ci = imaginary[i + 2 * step] ?? 0;
      const dr = real[i + 3 * step] ?? 0;
      const di = imaginary[i + 3 * step] ?? 0;
      const er = real[i + 4 * step] ?? 0;
      const ei = imaginary[i + 4 * step] ?? 0;
      const outerR = br + er;
      const outerI = bi + ei;
      const outerDifferenceR = br - er;
      const outerDifferenceI = bi - ei;
      const innerR = cr + dr;
      const innerI = ci + di;
      const innerDifferenceR = cr - dr;
      const innerDifferenceI = ci - di;
      const near1R = ar + cos72 * outerR + cos144 * innerR;
      const near1I = ai + cos72 * outerI + cos144 * innerI;
      const near2R = ar + cos144 * outerR + cos72 * innerR;
      const near2I = ai + cos144 * outerI + cos72 * innerI;
      const far1R = sin72 * outerDifferenceR + sin144 * innerDifferenceR;
      const far1I = sin72 * outerDifferenceI + sin144 * innerDifferenceI;
      const far2R = sin144 * outerDifferenceR - sin72 * innerDifferenceR;
      const far2I = sin144 * outerDifferenceI - sin72 * innerDifferenceI;
      const o = lane + stride * 5 * group;
      outReal[o] = ar + outerR + innerR;
      outImaginary[o] = ai + outerI + innerI;
      rotate(outReal, outImaginary, o + stride, near1R + far1I, near1I - far1R, twiddles, w + 2);
      rotate(outReal, outImaginary, o + 2 * stride, near2R + far2I, near2I - far2R, twiddles, w + 4);
      rotate(outReal, outImaginary, o + 3 * stride, near2R - far2I, near2I + far2R, twiddles, w + 6);
      rotate(outReal, outImaginary, o + 4 * stride, near1R - far1I, near1I + far1R, twiddles, w + 8);
    }
  }
}

function rotate(
  outReal: Float64Array,
  outImaginary: Float64Array,
  at: number,
  real: number,
  imaginary: number,
  twiddles: Float64Array,
  twiddle: number,
): void {
  const cosine = twiddles[twiddle] ?? 0;
  const sine = twiddles[twiddle + 1] ?? 0;
  outReal[at] = real * cosine - imaginary * sine;
  outImaginary[at] = real * sine + imaginary * cosine;
}

const passes = { 2: radixTwo, 4: radixFour, 5: radixFive } as const;
