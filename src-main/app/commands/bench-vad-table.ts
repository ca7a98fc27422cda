import { type SceneResult, scoreTurns, type TurnScore } from '../../evaluation/turns/turn-score.ts';
import { textTable } from './text-table.ts';

/** One level, heard both ways. */
export interface TurnRow {
  /** `clean`, `20 dB`, … `no speech`, `whisper`. */
  readonly level: string;
  readonly silero: TurnScore;
  readonly loudness: TurnScore;
}

/** A row a level, clean first, scenes without speech last; `only` gives one row of all scenes. */
export function scoreRows(
  levels: readonly number[],
  silero: readonly SceneResult[],
  loudness: readonly SceneResult[],
  only?: string,
): TurnRow[] {
  const row = (level: string, isIn: (result: SceneResult) => boolean): TurnRow => ({
    level,
    silero: scoreTurns(silero.filter(isIn)),
    loudness: scoreTurns(loudness.filter(isIn)),
  });
  if (only !== undefined) return [row(only, () => true)];
  const hasSpeech = ({ scene }: SceneResult) => scene.turns.length > 0;
  return [
    row('clean', (result) => hasSpeech(result) && result.scene.noise === null),
    ...levels.map((level) => row(`${level} dB`, ({ scene }) => scene.levelDb === level)),
    row('no speech', (result) => !hasSpeech(result)),
  ];
}

const share = (value: number | null) => (value === null ? '–' : (100 * value).toFixed(1));

function cells(score: TurnScore): string[] {
  const { precision, recall, missed, false: wrong, endDelayMs } = score;
  const delay = endDelayMs === null ? '–' : `${endDelayMs.median.toFixed(0)} / ${endDelayMs.p95.toFixed(0)}`;
  return [share(precision), share(recall), String(missed), String(wrong), delay];
}

/** For people: two rows a level. */
export function turnTable(rows: readonly TurnRow[], thresholdDb: number): string {
  const head = [
    'level',
    'turns',
    'by',
    'precision, %',
    'recall, %',
    'missed',
    'false',
    'end delay, ms (median / p95)',
  ];
  return textTable(
    [
      head,
      ...rows.flatMap(({ level, silero, loudness }) => [
        [level, String(silero.turns), 'Silero VAD', ...cells(silero)],
        ['', '', level === 'whisper' ? 'its best threshold' : `${thresholdDb} dBFS`, ...cells(loudness)],
      ]),
    ],
    'lrlr',
  );
}

/** What was told of each scene in which nobody speaks. */
export function heardTable(
  heard: ReadonlyArray<SceneResult & { readonly nothing: readonly string[] }>,
  baseline: readonly SceneResult[],
): string {
  const rows = heard.flatMap(({ scene, found, nothing }) => {
    if (scene.turns.length > 0) return [];
    const loud = baseline.find((result) => result.scene === scene)?.found.length ?? 0;
    const told = [...new Set(nothing)].map(
      (why) => `${why} ${nothing.filter((other) => other === why).length}×`,
    );
    return [[scene.name, String(found.length), String(loud), told.join(', ')]];
  });
  return textTable([['without speech', 'false turns', 'by loudness', 'nothing heard'], ...rows], 'lrrl');
}
