import { describe, expect, test } from 'vitest';
import { bestThreshold, turnsByLoudness } from '../../../src-main/evaluation/turns/loudness-baseline.ts';
import { makeNoise, noiseNames, rms } from '../../../src-main/evaluation/turns/noises.ts';
import { makeScene, type Scene, spokenStretches } from '../../../src-main/evaluation/turns/scenes.ts';
import { scoreTurns } from '../../../src-main/evaluation/turns/turn-score.ts';
import { tone } from '../../fixtures/voice/tones.ts';

const joined = (...parts: readonly Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));
const silence = (seconds: number) => new Float32Array(16000 * seconds);

describe('scenes', () => {
  test('speech is where a clean clip is loud; a short pause belongs to it, a long one ends it', () => {
    const clip = joined(silence(0.5), tone(300, 1), silence(0.4), tone(300, 1), silence(1), tone(300, 1));
    expect(spokenStretches(clip, 700)).toEqual([
      { fromMs: 500, toMs: 2900 },
      { fromMs: 3900, toMs: 4900 },
    ]);
  });

  test.each(noiseNames)('%s lies as far under the speech as the scene says', (noise) => {
    const clip = { name: 'tone', samples: joined(tone(300, 2)) };
    const options = { pauseMs: 700, seed: 3, voices: [tone(250, 1)], speechDb: -23 };
    const clean = makeScene([clip], { noise: null, levelDb: null }, options);
    const noisy = makeScene([clip], { noise, levelDb: 10 }, options);
    const added = noisy.samples.map((sample, place) => sample - (clean.samples[place] ?? 0));
    const speech = rms(clean.samples.slice(1600 * 15, 1600 * 35));
    expect(20 * Math.log10(speech / rms(added))).toBeCloseTo(10, 0);
    expect(noisy.turns).toEqual([{ fromMs: 1500, toMs: 3500 }]);
  });

  test('are the same each time', () => {
    for (const noise of noiseNames)
      expect(makeNoise(noise, 16000, 5, [tone(200, 1)])).toEqual(makeNoise(noise, 16000, 5, [tone(200, 1)]));
  });
});

describe('scores', () => {
  const scene = (turns: Scene['turns']): Scene => ({
    name: 'made',
    noise: null,
    levelDb: null,
    samples: silence(1),
    turns,
  });

  test('count turns that are found, missed and false, and how late their ends were noticed', () => {
    const score = scoreTurns([
      {
        scene: scene([
          { fromMs: 1000, toMs: 2000 },
          { fromMs: 4000, toMs: 5000 },
          { fromMs: 7000, toMs: 8000 },
        ]),
        found: [
          { fromMs: 1000, toMs: 2100, noticedMs: 2800 },
          { fromMs: 3900, toMs: 4900, noticedMs: 5600 },
          { fromMs: 9000, toMs: 9500, noticedMs: 10200 },
        ],
      },
    ]);
    expect(score).toMatchObject({ turns: 3, missed: 1, false: 1, endDelayMs: { median: 600, p95: 800 } });
    expect(score.precision).toBeCloseTo(2 / 3);
    expect(score.recall).toBeCloseTo(2 / 3);
  });

  test('one found turn over two known ones is neither', () => {
    const known = [
      { fromMs: 0, toMs: 1000 },
      { fromMs: 3000, toMs: 4000 },
    ];
    const found = [{ fromMs: 0, toMs: 4000, noticedMs: 4700 }];
    expect(scoreTurns([{ scene: scene(known), found }])).toMatchObject({
      missed: 2,
      false: 1,
      endDelayMs: null,
    });
  });
});

test('the loudness baseline takes loud sound for a turn, and its best threshold is the one that fits', () => {
  const samples = joined(silence(1), tone(300, 1), silence(1));
  const [turn] = turnsByLoudness(samples, -30, 700);
  expect(turn?.fromMs).toBeCloseTo(1000, -2);
  expect(turn?.noticedMs).toBeGreaterThan(2600);
  const clip = { name: 'tone', samples: tone(300, 2) };
  const scenes = [
    makeScene([clip], { noise: 'white', levelDb: 10 }, { pauseMs: 700, seed: 1, voices: [], speechDb: -23 }),
  ];
  const { thresholdDb, results } = bestThreshold(scenes, 700);
  expect(thresholdDb).toBeGreaterThan(-33);
  expect(scoreTurns(results)).toMatchObject({ missed: 0, false: 0 });
});
