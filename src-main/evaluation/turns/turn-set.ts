import { type NoiseName, noiseNames } from './noises.ts';
import { makeScene, makeSceneWithoutSpeech, type Scene, type SceneKind, type SpokenClip } from './scenes.ts';

export interface TurnSetOptions {
  readonly clips: readonly SpokenClip[];
  readonly noises?: readonly NoiseName[];
  /** Speech over noise, dB. */
  readonly levels: readonly number[];
  /** Pauses shorter than this belong to a turn. */
  readonly pauseMs: number;
}

const secondsWithoutSpeech = 20;

/** Level of the speech from scene to scene, dB of full scale: some sit close to the microphone, some far off. */
const speechLevelsDb = [-23, -38, -20, -30];

/**
 * The labelled set: clips two by two, clean and over every noise at every level, then every noise and silence alone. The same
 * clips make the same set, to the last sample.
 */
export function* makeTurnSet(options: TurnSetOptions): Generator<Scene> {
  const { clips, noises = noiseNames, levels, pauseMs } = options;
  const kinds: SceneKind[] = [
    { noise: null, levelDb: null },
    ...levels.flatMap((levelDb) => noises.map((noise) => ({ noise, levelDb }))),
  ];
  let scenes = 0;
  for (const kind of kinds) {
    for (let first = 0; first < clips.length; first += 2) {
      const spoken = clips.slice(first, first + 2);
      const voices = clips.filter((clip) => !spoken.includes(clip)).map(({ samples }) => samples);
      const speechDb = speechLevelsDb[scenes % speechLevelsDb.length] ?? 0;
      yield makeScene(spoken, kind, { pauseMs, seed: first + 1, voices, speechDb });
      scenes += 1;
    }
  }
  const voices = clips.map(({ samples }) => samples);
  for (const noise of [null, ...noises])
    yield makeSceneWithoutSpeech(noise, { seconds: secondsWithoutSpeech, seed: 1, voices });
}
