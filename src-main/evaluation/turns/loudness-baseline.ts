import type { Scene } from './scenes.ts';
import { type FoundTurn, type SceneResult, scoreTurns, type TurnScore } from './turn-score.ts';

const frameSamples = 512;
const frameMs = 32;
const startFrames = 4;
const turnFrames = 8;

/**
 * The plain way that is measured beside: sound louder than a fixed threshold (dB of full scale, root mean square of 32 ms) is
 * speech, with the same shortest turn and the same pause as ours.
 */
export function turnsByLoudness(samples: Float32Array, thresholdDb: number, pauseMs: number): FoundTurn[] {
  const needed = 10 ** (thresholdDb / 10);
  const turns: FoundTurn[] = [];
  let turn: { first: number; last: number; loud: number } | null = null;
  const end = (noticedFrame: number) => {
    if (turn !== null && turn.loud >= turnFrames) {
      const [fromMs, toMs] = [turn.first * frameMs, (turn.last + 1) * frameMs];
      turns.push({ fromMs, toMs, noticedMs: noticedFrame * frameMs });
    }
    turn = null;
  };
  const frames = Math.floor(samples.length / frameSamples);
  for (let frame = 0; frame < frames; frame++) {
    const piece = samples.subarray(frame * frameSamples, (frame + 1) * frameSamples);
    const isLoud = piece.reduce((sum, sample) => sum + sample * sample, 0) / frameSamples >= needed;
    if (isLoud) {
      turn ??= { first: frame, last: frame, loud: 0 };
      turn.last = frame;
      turn.loud += 1;
    } else if (turn !== null) {
      const { last, loud }: { last: number; loud: number } = turn;
      const quiet = frame - last;
      if (loud < startFrames ? quiet >= startFrames : quiet * frameMs >= pauseMs) end(frame + 1);
    }
  }
  end(frames);
  return turns;
}

/** Tried one after another, dB of full scale. */
const thresholdsDb = [-55, -50, -45, -40, -35, -30, -25, -20];

/** The baseline at its best: the threshold of highest F1 over these very scenes, which nobody could know beforehand. */
export function bestThreshold(
  scenes: readonly Scene[],
  pauseMs: number,
): { readonly thresholdDb: number; readonly results: readonly SceneResult[] } {
  const tried = thresholdsDb.map((thresholdDb) => {
    const results = scenes.map((scene) => ({
      scene,
      found: turnsByLoudness(scene.samples, thresholdDb, pauseMs),
    }));
    return { thresholdDb, results, f1: f1Of(scoreTurns(results)) };
  });
  return tried.reduce((best, other) => (other.f1 > best.f1 ? other : best));
}

/** Harmonic mean of precision and recall. */
export function f1Of({ turns, missed, false: wrong }: TurnScore): number {
  const matched = turns - missed;
  return (2 * matched) / Math.max(1, 2 * matched + missed + wrong);
}
