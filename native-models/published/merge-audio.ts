import { ModelError } from '../errors.ts';
import { graphHead } from './graph-head.ts';

/**
 * How vectors of sound come into the rows of a prompt: they take the place of the placeholders' own, or are added to them (Voxtral
 * Realtime). A third way is an embedding graph that takes the sound and merges by itself.
 */
export type Merging = 'replace' | 'add';

/** What encoders name their vectors by the way that those are merged. */
const outputs = { audio_features: 'replace', audio_embeds: 'add' } as const satisfies Record<string, Merging>;

export interface SoundOutput {
  readonly name: string;
  readonly merging: Merging;
}

/** The output of an audio encoder graph that holds its vectors. Throws `bundle-invalid` when there is none. */
export function soundOutput(names: readonly string[]): SoundOutput {
  for (const [name, merging] of Object.entries(outputs)) if (names.includes(name)) return { name, merging };
  throw new ModelError(
    'bundle-invalid',
    `The audio encoder graph gives ${names.join(', ') || 'nothing'}, and no audio_features.`,
    'Use a model in the layout of transformers.js.',
  );
}

/** How a graph's vectors are to be merged, read from the head of its file. Throws what the ONNX reader throws. */
export function mergingOf(path: string): Merging {
  return soundOutput(graphHead(path).outputs.map(({ name }) => name)).merging;
}

/**
 * Brings the vectors of sound [n, hidden] in order into the rows of the positions that stand for sound; `rows` [positions, width]
 * begin with a position's vector. Throws `shape-mismatch` naming both counts when they differ.
 */
export function mergeSound(
  rows: Float32Array,
  width: number,
  positions: readonly number[],
  sound: Float32Array,
  hidden: number,
  merging: Merging,
): void {
  checkCounts(positions.length, sound.length / hidden);
  positions.forEach((position, i) => {
    const vector = sound.subarray(i * hidden, (i + 1) * hidden);
    const row = rows.subarray(position * width, position * width + hidden);
    row.set(merging === 'replace' ? vector : row.map((value, at) => value + (vector[at] ?? 0)));
  });
}

/** Where the ids of a prompt stand for sound. */
export function soundPositions(ids: readonly number[], audioToken: number): number[] {
  return ids.flatMap((id, position) => (id === audioToken ? [position] : []));
}

/** Throws `shape-mismatch` naming both counts. */
export function checkCounts(placeholders: number, vectors: number): void {
  if (placeholders === vectors) return;
  throw new ModelError(
    'shape-mismatch',
    `The prompt has ${placeholders} positions for sound, but the sound became ${vectors} vectors.`,
    'Put as many placeholders into the prompt as there are vectors.',
  );
}
