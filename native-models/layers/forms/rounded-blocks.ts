import { halfToFloat32 } from '../../formats/half-precision.ts';
import { bytesOf } from '../streamed-weight.ts';
import { packNibbles } from './bit-packing.ts';
import type { Form } from './form.ts';
import { toHalf } from './to-half.ts';

/** Weights that share a scale. */
export const roundedBlock = 32;

/**
 * The largest weight of a block stands this many steps from zero: what is cut off on one side against finer steps on the other.
 * The scale is then fitted to the levels by least squares, and the best of the candidates is kept.
 */
const stepsToLargest = [-8.7, -8, -7.3] as const;

/** Any weights, rounded in blocks of 32: 4 bits around 8, or 8 bits around 128, with scales in half precision. */
export function roundedBlocksForm(bits: 4 | 8, columns: number): Form {
  const blocks = columns / roundedBlock;
  return {
    name: `rounded to ${bits} ${columns}`,
    takes: 'float32',
    pieces: [
      { name: 'data', type: 'uint8', row: [blocks, (roundedBlock * bits) / 8], small: false },
      { name: 'scales', type: 'float16', row: [blocks], small: true },
    ],
    convert(rows) {
      const values = new Float32Array(rows.buffer, rows.byteOffset, rows.byteLength / 4);
      const { levels, scales } = bits === 4 ? roundToNibbles(values) : roundToBytes(values);
      return { data: bits === 4 ? packNibbles(levels) : levels, scales: bytesOf(scales) };
    },
    unpack: (g, piece) => ({
      kind: 'levels',
      ...{ bits, blockSize: roundedBlock, data: piece('data'), high: null },
      scales: g.cast(piece('scales'), 'float32'),
      ...{ zero: bits === 4 ? 8 : 128, minima: null },
    }),
  };
}

interface Rounded {
  readonly levels: Uint8Array;
  /** Bits of halves. */
  readonly scales: Uint16Array;
}

/** The largest of a block becomes 127 steps: the worst error is 1/254 of it. */
export function roundToBytes(values: Float32Array): Rounded {
  const scales = new Uint16Array(values.length / roundedBlock);
  for (let block = 0; block < scales.length; block++) {
    let largest = 0;
    const end = (block + 1) * roundedBlock;
    for (let i = block * roundedBlock; i < end; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
    scales[block] = toHalf(largest / 127);
  }
  return { levels: toLevels(values, halfToFloat32(scales), 128, 255), scales };
}

/** Signed scales, so that the largest of a block may take the one level more that there is below zero. */
export function roundToNibbles(values: Float32Array): Rounded {
  const scales = new Uint16Array(values.length / roundedBlock);
  for (let block = 0; block < scales.length; block++)
    scales[block] = toHalf(fittedScale(values, block * roundedBlock));
  return { levels: toLevels(values, halfToFloat32(scales), 8, 15), scales };
}

/** The nearest whole number of one that is not below zero; numbers below stay so, or become zero. */
function nearest(value: number): number {
  return (value + 0.5) | 0;
}

function toLevels(values: Float32Array, scales: Float32Array, zero: number, most: number): Uint8Array {
  const levels = new Uint8Array(values.length);
  for (let block = 0; block < scales.length; block++) {
    const scale = scales[block] ?? 0;
    const inverse = scale === 0 ? 0 : 1 / scale;
    const end = (block + 1) * roundedBlock;
    for (let i = block * roundedBlock; i < end; i++) {
      const level = nearest((values[i] ?? 0) * inverse + zero);
      levels[i] = Math.max(0, Math.min(most, level));
    }
  }
  return levels;
}

/** The scale of least squared error among the candidates, for 4 bits. */
function fittedScale(values: Float32Array, start: number): number {
  let [least, most] = [0, 0];
  for (let i = start; i < start + roundedBlock; i++) {
    const value = values[i] ?? 0;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const largest = -least > most ? least : most;
  if (largest === 0) return 0;
  let [bestGain, bestScale] = [0, 0];
  for (const steps of stepsToLargest) {
    const inverse = steps / largest;
    let [products, squares] = [0, 0];
    for (let i = start; i < start + roundedBlock; i++) {
      const value = values[i] ?? 0;
      const raised = nearest(value * inverse + 8);
      const level = Math.max(0, Math.min(15, raised)) - 8;
      products += value * level;
      squares += level * level;
    }
    // Σ(v − s·l)² is least at s = Σvl / Σl², and then Σv² − (Σvl)² / Σl².
    const gain = squares === 0 ? 0 : (products * products) / squares;
    if (gain > bestGain) [bestGain, bestScale] = [gain, products / squares];
  }
  return bestScale;
}
