import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Failure,
  type TurnEvent,
  type TurnTakingPort,
  turnTakingSchema,
} from '../../../src-main/contract/index.ts';
import { bestThreshold, f1Of } from '../../../src-main/evaluation/turns/loudness-baseline.ts';
import type { Scene, SpokenClip } from '../../../src-main/evaluation/turns/scenes.ts';
import { scoreTurns } from '../../../src-main/evaluation/turns/turn-score.ts';
import { makeTurnSet } from '../../../src-main/evaluation/turns/turn-set.ts';
import { openTurnTaking } from '../../../src-main/voice/activity/turn-taking.ts';
import { VoiceActivity } from '../../../src-main/voice/activity/voice-activity.ts';
import { readSound } from '../../../src-main/voice/read-sound.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const resources = fileURLToPath(new URL('../../../resources/', import.meta.url));
const model = join(resources, 'voice-activity', 'silero-vad-6.onnx');
const settings = turnTakingSchema.parse({});

async function clip(name: string): Promise<SpokenClip> {
  return { name, samples: (await readSound(readFileSync(join(resources, 'samples', name)), name)).samples };
}

let turnTaking: TurnTakingPort;
beforeAll(() => {
  turnTaking = openTurnTaking({ model });
});
afterAll(() => turnTaking.close());

/** Everything that is told of a sound, given in pieces of `pieceSamples`. */
async function eventsOf(samples: Float32Array, pieceSamples = 16000): Promise<TurnEvent[]> {
  const events: TurnEvent[] = [];
  const failures: Failure[] = [];
  const listener = turnTaking.listen({
    settings,
    onEvent: (event) => events.push(event),
    onFailure: (failure) => failures.push(failure),
  });
  for (let start = 0; start < samples.length; start += pieceSamples) {
    listener.push(samples.subarray(start, start + pieceSamples));
    await listener.settled();
  }
  await listener.finish();
  expect(failures).toEqual([]);
  return events;
}

function foundIn(events: readonly TurnEvent[]) {
  return events.flatMap((event) =>
    event.type === 'turn-ended'
      ? [
          {
            fromMs: event.speechFromMs,
            toMs: event.speechToMs,
            noticedMs: event.speechToMs + event.noticedAfterMs,
          },
        ]
      : [],
  );
}

test('in noise it finds what a threshold cannot, and in noise, music, coughs and silence alone nothing', {
  timeout: 600_000,
}, async () => {
  const clips = [
    await clip('question-capital-of-france.wav'),
    await clip('recorded-sense-and-sensibility-0880.wav'),
  ];
  const scenes = [...makeTurnSet({ clips, levels: [5, 0], pauseMs: settings.pauseMs })];
  const heard: Array<{ scene: Scene; found: ReturnType<typeof foundIn>; events: TurnEvent[] }> = [];
  for (const scene of scenes) {
    const events = await eventsOf(scene.samples);
    heard.push({ scene, found: foundIn(events), events });
  }
  const baseline = bestThreshold(scenes, settings.pauseMs).results;
  for (const level of [5, 0]) {
    const isIn = ({ scene }: { scene: Scene }) => scene.levelDb === level;
    const ours = scoreTurns(heard.filter(isIn));
    expect(f1Of(ours), `${level} dB`).toBeGreaterThan(f1Of(scoreTurns(baseline.filter(isIn))));
    // Six noises, two turns each: babble, made of voices, may take its two.
    expect(ours.missed, `${level} dB`).toBeLessThanOrEqual(2);
  }
  const clean = scoreTurns(heard.filter(({ scene }) => scene.noise === null && scene.turns.length > 0));
  expect(clean).toMatchObject({ missed: 0, false: 0 });
  expect(clean.endDelayMs?.p95).toBeLessThan(settings.pauseMs + 200);
  const told = Object.fromEntries(
    heard
      .filter(({ scene }) => scene.turns.length === 0 && scene.noise !== 'babble')
      .map(({ scene, found, events }) => [
        scene.name,
        [found.length, events.flatMap((event) => (event.type === 'nothing-heard' ? [event.why] : []))[0]],
      ]),
  );
  expect(told).toEqual({
    'silence alone': [0, 'silence'],
    'white alone': [0, 'noise'],
    'pink alone': [0, 'noise'],
    'hum alone': [0, 'noise'],
    'music alone': [0, 'music'],
    'coughs alone': [0, expect.stringMatching(/noise|too-short/)],
  });
});

test('it does not matter in what pieces the sound comes, nor what other streams hear meanwhile', async () => {
  const { samples } = await clip('question-days-in-a-week.wav');
  const whole = await eventsOf(samples, samples.length);
  expect(whole.map(({ type }) => type)).toContain('turn-ended');
  const [pieces, other] = await Promise.all([
    eventsOf(samples, 777),
    eventsOf((await clip('question-what-is-gravity.wav')).samples, 1600),
  ]);
  expect(pieces).toEqual(whole);
  expect(other).not.toEqual(whole);
});

test('sound that comes faster than it can be heard is refused with a clear word, and the next stream is heard', async () => {
  const failures: Failure[] = [];
  const listener = turnTaking.listen({
    settings,
    onEvent: () => undefined,
    onFailure: (failure) => failures.push(failure),
  });
  for (let second = 0; second < 11; second++) listener.push(new Float32Array(16000));
  expect(failures).toMatchObject([{ code: 'engine-busy' }]);
  await listener.finish();
  expect(failures).toHaveLength(1);
  expect(await eventsOf(new Float32Array(32000))).toMatchObject([{ type: 'nothing-heard', why: 'silence' }]);
});

test('a worker that dies tells its streams, and the next stream has another one', async () => {
  const folder = temporaryFolder();
  const dying = join(folder, 'dying.mjs');
  writeFileSync(
    dying,
    `import { parentPort } from 'node:worker_threads';
     parentPort.on('message', ({ type }) => { if (type === 'hear') throw new Error('out of memory'); });`,
  );
  const activity = new VoiceActivity({ model, workerUrl: new URL(`file://${dying}`) });
  for (let time = 0; time < 2; time++) {
    const failure = await new Promise<Failure>((resolve) => {
      const stream = activity.open({ onFrames: () => undefined, onFailure: resolve });
      stream.push(new Float32Array(1600));
    });
    expect(failure.code).toBe('engine-stopped');
    expect(failure.message).toContain('out of memory');
  }
  await activity.close();
});

test('a model that is absent or is another file is not run', async () => {
  const folder = temporaryFolder();
  const changed = join(folder, 'changed.onnx');
  const bytes = readFileSync(model);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  writeFileSync(changed, bytes);
  for (const [file, code] of [
    [changed, 'bundle-corrupt'],
    [join(folder, 'absent.onnx'), 'file-missing'],
  ] as const) {
    const activity = new VoiceActivity({ model: file });
    const failure = await new Promise<Failure>((resolve) => {
      activity.open({ onFrames: () => undefined, onFailure: resolve });
    });
    expect(failure.code).toBe(code);
    await activity.close();
  }
});

test('closing ends what is under way, and nothing can be opened afterwards', async () => {
  const activity = new VoiceActivity({ model });
  const stream = activity.open({ onFrames: () => undefined, onFailure: () => undefined });
  stream.push(new Float32Array(16000));
  const settled = stream.settled();
  await activity.close();
  await settled;
  expect(() => activity.open({ onFrames: () => undefined, onFailure: () => undefined })).toThrow();
});
