/** Sound in a prompt: as many positions as it has vectors, told apart by the hash of those vectors. */
export interface AudioUnit {
  readonly audio: string;
  readonly positions: number;
}

/** What a prompt is made of: a token id, or one clip of sound. */
export type Unit = number | AudioUnit;

/** Positions that the units take in the context. */
export function positionsOf(units: readonly Unit[]): number {
  let positions = 0;
  for (const unit of units) positions += typeof unit === 'number' ? 1 : unit.positions;
  return positions;
}

/** How many units at the start are the same in both. */
export function commonPrefix(kept: readonly Unit[], wanted: readonly Unit[]): number {
  const most = Math.min(kept.length, wanted.length);
  let count = 0;
  while (count < most && sameUnit(kept[count], wanted[count])) count++;
  return count;
}

function sameUnit(a: Unit | undefined, b: Unit | undefined): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a !== undefined && b !== undefined && a.audio === b.audio && a.positions === b.positions;
}
