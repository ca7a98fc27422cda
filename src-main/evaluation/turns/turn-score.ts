import type { Scene, Stretch } from './scenes.ts';

/** A turn that was found: its speech, and when its end was noticed. */
export interface FoundTurn extends Stretch {
  readonly noticedMs: number;
}

/** Turns of one scene, known and found. */
export interface SceneResult {
  readonly scene: Scene;
  readonly found: readonly FoundTurn[];
}

/** Over any number of scenes. Shares are of 1. */
export interface TurnScore {
  readonly turns: number;
  /** Found turns that are a known one; null where nothing was found. */
  readonly precision: number | null;
  /** Known turns that were found; null where there are none. */
  readonly recall: number | null;
  readonly missed: number;
  readonly false: number;
  /** From the end of speech to the moment the end of the turn was noticed, milliseconds: the median and the 95th percentile. */
  readonly endDelayMs: { readonly median: number; readonly p95: number } | null;
}

/** Share of what both cover together that both cover: a found turn is a known one when it is half or more. */
const sameTurn = 0.5;

function intersectionOverUnion(one: Stretch, other: Stretch): number {
  const shared = Math.min(one.toMs, other.toMs) - Math.max(one.fromMs, other.fromMs);
  const all = Math.max(one.toMs, other.toMs) - Math.min(one.fromMs, other.fromMs);
  return Math.max(0, shared) / all;
}

/** Each known turn with the found one that it is; at half and more only one can be. */
function pairs({ scene, found }: SceneResult): Array<{ known: Stretch; found: FoundTurn }> {
  return scene.turns.flatMap((known) => {
    const match = found.find((turn) => intersectionOverUnion(known, turn) > sameTurn);
    return match === undefined ? [] : [{ known, found: match }];
  });
}

/** Rank statistics without interpolation: the value that so large a share is at or under. */
function ranked(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function scoreTurns(results: readonly SceneResult[]): TurnScore {
  const matched = results.flatMap(pairs);
  const known = results.reduce((sum, { scene }) => sum + scene.turns.length, 0);
  const found = results.reduce((sum, result) => sum + result.found.length, 0);
  const delays = matched.map((pair) => pair.found.noticedMs - pair.known.toMs).sort((a, b) => a - b);
  return {
    turns: known,
    precision: found === 0 ? null : matched.length / found,
    recall: known === 0 ? null : matched.length / known,
    missed: known - matched.length,
    false: found - matched.length,
    endDelayMs: delays.length === 0 ? null : { median: ranked(delays, 0.5), p95: ranked(delays, 0.95) },
  };
}
