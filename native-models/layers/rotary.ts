import type { Value } from '../graph/definition.ts';
import type { Graph } from '../graph/graph.ts';
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
 * transformers: models were trained with those angles, and at 8000 positions they differ from exact ones in the fourth digit. The
 * graph computes them when it is loaded: written down, they would be a fiftieth of a small model.
 */
export function rotaryTables(
  g: Graph,
  name: string,
  positions: number,
  rotary: RotarySettings,
): { cosines: Value; sines: Value } {
  const half = rotary.dimensions / 2;
  const { frequencies, magnitude } = rotaryFrequencies(rotary);
  const read = () => new Uint8Array(frequencies.buffer, frequencies.byteOffset, frequencies.byteLength);
  const weight = g.weight(`${name}.frequencies`, { type: 'float32', shape: [half], read });
  const position = g.cast(g.range(g.int64s([positions]), positions), 'float32');
  const angles = g.mul(g.unsqueeze(position, 1), weight);
  const scaled = (wave: Value) =>
    magnitude === 1 ? wave : g.mul(wave, g.constant('float32', [], [magnitude]));
  return { cosines: scaled(g.cos(angles)), sines: scaled(g.sin(angles)) };
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
