import type { Weight } from '../graph/definition.ts';

/**
 * Cosines and sines of rotary position embeddings (RoFormer, in LLaMA's split-half form): f32 [positions, headSize/2], angle
 * `position · θ^(−2i/headSize) / divisor_i`. `divisors` are what Llama 3 files carry as `rope_freqs`.
 */
export function rotaryTables(
  positions: number,
  headSize: number,
  theta: number,
  divisors: Float32Array | null,
): { cosines: Weight; sines: Weight } {
  const half = headSize / 2;
  const table = (wave: (angle: number) => number): Weight => ({
    type: 'float32',
    shape: [positions, half],
    read: () => {
      const values = new Float32Array(positions * half);
      for (let i = 0; i < half; i++) {
        const frequency = theta ** ((-2 * i) / headSize) / (divisors?.[i] ?? 1);
        for (let position = 0; position < positions; position++)
          values[position * half + i] = wave(position * frequency);
      }
      return new Uint8Array(values.buffer);
    },
  });
  return { cosines: table(Math.cos), sines: table(Math.sin) };
}
