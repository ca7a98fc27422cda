import { ModelError } from '../errors.ts';

/**
 * Puts the vectors of sound [n, hidden] in order into the rows of the positions that stand for sound; `rows` [positions, width]
 * begin with a position's vector. Throws `shape-mismatch` naming both counts when they differ.
 */
export function replaceBySound(
  rows: Float32Array,
  width: number,
  positions: readonly number[],
  sound: Float32Array,
  hidden: number,
): void {
  checkCounts(positions.length, sound.length / hidden);
  positions.forEach((position, i) => {
    rows.set(sound.subarray(i * hidden, (i + 1) * hidden), position * width);
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
