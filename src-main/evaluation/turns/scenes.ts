import { makeNoise, type NoiseName, rms } from './noises.ts';

const sampleRate = 16000;

/** Milliseconds since the start of a scene. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A spoken sound without background, f32 in -1..1 at 16 kHz. */
export interface SpokenClip {
  readonly name: string;
  readonly samples: Float32Array;
}

/** Sound of which it is known when somebody speaks in it. */
export interface Scene {
  readonly name: string;
  readonly noise: NoiseName | null;
  /** Speech over noise, dB; null without noise or without speech. */
  readonly levelDb: number | null;
  readonly samples: Float32Array;
  /** What a turn taker should find. */
  readonly turns: readonly Stretch[];
}

/** Level of noise where nobody speaks, dB of full scale. */
const noiseAloneDb = -33;
/** Hiss of a quiet microphone. */
const quietDb = -75;

const leadMs = 1500;
const betweenMs = 2000;

/** Of clean sound: so far under its loudest 10 ms is no speech. The room of the oldest recording lies 30 dB under its speaker. */
const speechUnderLoudestDb = 27;
const blockSamples = 160;

/** Where a clean clip holds speech; pauses shorter than `pauseMs` belong to it. */
export function spokenStretches(samples: Float32Array, pauseMs: number): Stretch[] {
  const levels: number[] = [];
  for (let start = 0; start < samples.length; start += blockSamples) {
    const piece = samples.subarray(start, start + blockSamples);
    levels.push(piece.reduce((sum, sample) => sum + sample * sample, 0) / piece.length);
  }
  const loudest = levels.reduce((most, level) => Math.max(most, level), 0);
  const needed = loudest / 10 ** (speechUnderLoudestDb / 10);
  const blockMs = (blockSamples / sampleRate) * 1000;
  const stretches: Array<{ fromMs: number; toMs: number }> = [];
  levels.forEach((level, place) => {
    if (level < needed || level === 0) return;
    const fromMs = place * blockMs;
    const last = stretches.at(-1);
    if (last !== undefined && fromMs - last.toMs < pauseMs) last.toMs = fromMs + blockMs;
    else stretches.push({ fromMs, toMs: fromMs + blockMs });
  });
  return stretches;
}

const amplitude = (db: number) => 10 ** (db / 20);
const samplesOf = (ms: number) => Math.round((ms / 1000) * sampleRate);

/** `samples` at a level; what it would be over full scale is cut off, as a microphone would. */
function mixed(length: number, parts: ReadonlyArray<{ sound: Float32Array; at: number; db: number }>) {
  const result = new Float32Array(length);
  for (const { sound, at, db } of parts) {
    const gain = amplitude(db) / Math.max(rms(sound), 1e-9);
    sound.forEach((sample, place) => {
      result[at + place] = (result[at + place] ?? 0) + sample * gain;
    });
  }
  return result.map((sample) => Math.max(-1, Math.min(1, sample)));
}

export interface SceneKind {
  readonly noise: NoiseName | null;
  readonly levelDb: number | null;
}

/**
 * Clips one after another with quiet between them, over noise from the first sample to the last; the noise comes of
 * `seed`. `speechDb` is the level of each clip, dB of full scale; `voices` are what babble is made of: those of other scenes.
 */
export function makeScene(
  clips: readonly SpokenClip[],
  { noise, levelDb }: SceneKind,
  options: { pauseMs: number; seed: number; voices: readonly Float32Array[]; speechDb: number },
): Scene {
  const { pauseMs, seed, voices, speechDb } = options;
  const turns: Stretch[] = [];
  const parts: Array<{ sound: Float32Array; at: number; db: number }> = [];
  let ms = leadMs;
  for (const { samples } of clips) {
    for (const { fromMs, toMs } of spokenStretches(samples, pauseMs))
      turns.push({ fromMs: ms + fromMs, toMs: ms + toMs });
    parts.push({ sound: samples, at: samplesOf(ms), db: speechDb });
    ms += (samples.length / sampleRate) * 1000 + betweenMs;
  }
  const length = samplesOf(ms);
  if (noise !== null && levelDb !== null)
    parts.push({ sound: makeNoise(noise, length, seed, voices), at: 0, db: speechDb - levelDb });
  parts.push({ sound: makeNoise('white', length, seed + 1, []), at: 0, db: quietDb });
  const name = clips.map((clip) => clip.name).join(' + ');
  return { name, noise, levelDb, samples: mixed(length, parts), turns };
}

/** Nobody speaks: noise alone, or the hiss of a quiet room. */
export function makeSceneWithoutSpeech(
  noise: NoiseName | null,
  { seconds, seed, voices }: { seconds: number; seed: number; voices: readonly Float32Array[] },
): Scene {
  const length = seconds * sampleRate;
  const parts = [{ sound: makeNoise('white', length, seed + 1, []), at: 0, db: quietDb }];
  if (noise !== null) parts.push({ sound: makeNoise(noise, length, seed, voices), at: 0, db: noiseAloneDb });
  return {
    name: `${noise ?? 'silence'} alone`,
    noise,
    levelDb: null,
    samples: mixed(length, parts),
    turns: [],
  };
}
