import type { Weight } from '../graph/definition.ts';
import { type RotaryScaling, scaledFrequencies } from './rotary-scaling.ts';

/** Rotary position embeddings of a kind of layer (RoFormer, in LLaMA's split-half form). */
export interface RotarySettings {
  /** How many dimensions of a head are rotated: the first ones, an even number. */
  readonly dimensions: number;
  readonly theta: number;
  readonly scaling: RotaryScaling;
}

/** Every dimension rotated, positions as they are. */
export function plainRotary(dimensions: number, theta: number): RotarySettings {
  return { dimensions, theta, scaling: { kind: 'none' } };
}

/**
 * Cosines and sines f32 [positions, dimensions/2] of `position · frequency_i`. Every step is rounded to single precision, as in
 * transformers: models were trained with those angles, and at 8000 positions they differ from exact ones in the fourth digit.
 */
export function rotaryTables(positions: number, rotary: RotarySettings): { cosines: Weight; sines: Weight } {
  const half = rotary.dimensions / 2;
  const table = (wave: (angle: number) => number): Weight => ({
    type: 'float32',
    shape: [positions, half],
    read: () => {
      const { frequencies, magnitude } = rotaryFrequencies(rotary);
      const values = new Float32Array(positions * half);
      frequencies.forEach((frequency, i) => {
        for (let position = 0; position < positions; position++)
          values[position * half + i] = Math.fround(wave(Math.fround(position * frequency))) * magnitude;
      });
      return new Uint8Array(values.buffer);
    },
  });
  return { cosines: table(Math.cos), sines: table(Math.sin) };
}

/** Angle per position of each pair of dimensions, `θ^(−2i/dimensions)` as the scaling bends it, and a factor for both tables. */
export function rotaryFrequencies({ dimensions, theta, scaling }: RotarySettings): {
  frequencies: Float32Array;
  magnitude: number;
} {
  const periods = Float32Array.from(
    { length: dimensions / 2 },
    (_, i) => Math.fround(theta) ** Math.fround((2 * i) / dimensions),
  );
  return scaledFrequencies(periods, theta, scaling);
}
