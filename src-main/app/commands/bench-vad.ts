import type { Command } from 'commander';
import { z } from 'zod';
import {
  type NothingHeard,
  ParlanceError,
  type TurnTaking,
  type TurnTakingPort,
  turnTakingSchema,
} from '../../contract/index.ts';
import { bestThreshold } from '../../evaluation/turns/loudness-baseline.ts';
import { makeScene, type Scene } from '../../evaluation/turns/scenes.ts';
import type { FoundTurn, SceneResult } from '../../evaluation/turns/turn-score.ts';
import { makeTurnSet } from '../../evaluation/turns/turn-set.ts';
import { createTurnTaking } from '../turn-taking.ts';
import { spokenClips, whisperedClips } from './bench-clips.ts';
import { heardTable, scoreRows, turnTable } from './bench-vad-table.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';

const optionsSchema = z.object({
  pause: numberOption.pipe(turnTakingSchema.shape.pauseMs.unwrap()),
  sensitivity: numberOption.pipe(turnTakingSchema.shape.sensitivity.unwrap()),
  levels: z
    .string()
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.number().min(-20).max(60)).min(1)),
  clips: numberOption.pipe(z.number().int().min(1)).optional(),
});
type Options = z.infer<typeof optionsSchema>;

const explanation = `
Turns are taken from spoken samples, two by two, clean and over white and pink noise, babble, hum, music and coughs at each level,
by Silero VAD as the app runs it and by the fixed loudness threshold that does best on this very set. docs/measuring.md says what
the figures mean.`;

/** `parlance bench vad`: how well turns are found in noise, beside a fixed-threshold loudness baseline. */
export function addBenchVad(bench: Command): void {
  const command = bench
    .command('vad')
    .description('Measures how well spoken turns are found in noise.')
    .option('--levels <DB,…>', 'speech over noise, decibels', '20,10,5,0')
    .option('--pause <MS>', 'the pause that ends a turn, 300 to 1500', '700')
    .option('--sensitivity <S>', '0: clear speech close by; 1: down to whispering', '0.5')
    .option('--clips <N>', 'only so many of the clips')
    .addHelpText('after', explanation);
  runs(command, optionsSchema, measure);
}

/** A scene, and what was told of it where no turn was found. */
interface Heard extends SceneResult {
  readonly nothing: readonly NothingHeard[];
}

async function measure(invocation: Invocation, options: Options): Promise<void> {
  const { output } = invocation;
  const settings = turnTakingSchema.parse({ pauseMs: options.pause, sensitivity: options.sensitivity });
  const { clips, voices } = await spokenClips();
  const chosen = clips.slice(0, options.clips ?? clips.length);
  const set = { clips: chosen, levels: options.levels, pauseMs: settings.pauseMs };
  const scenes = [...makeTurnSet(set)];
  const turnTaking = createTurnTaking();
  const began = performance.now();
  try {
    const heard = await hearAll(turnTaking, scenes, settings, invocation);
    const seconds = scenes.reduce((sum, { samples }) => sum + samples.length / 16000, 0);
    const took = (performance.now() - began) / 1000;
    const baseline = bestThreshold(scenes, settings.pauseMs);
    const rows = scoreRows(options.levels, heard, baseline.results);
    const whispers = await hearWhispers(turnTaking, settings, invocation);
    rows.push(...whispers);
    for (const row of rows) output.event({ type: 'row', ...row });
    for (const { scene, found, nothing } of heard.filter(({ scene }) => scene.turns.length === 0))
      output.event({
        type: 'without-speech',
        scene: scene.name,
        falseTurns: found.length,
        nothingHeard: nothing,
      });
    output.event({
      type: 'done',
      ...settings,
      scenes: scenes.length,
      soundSeconds: seconds,
      hearingSeconds: took,
      baselineThresholdDb: baseline.thresholdDb,
      voices,
    });
    output.text(`${turnTable(rows, baseline.thresholdDb)}\n\n`);
    output.text(`${heardTable(heard, baseline.results)}\n\n`);
    output.text(
      `${scenes.length} scenes, ${seconds.toFixed(0)} s of sound heard in ${took.toFixed(0)} s; voices: ${voices.join(', ')}\n`,
    );
  } finally {
    await turnTaking.close();
  }
}

async function hearAll(
  turnTaking: TurnTakingPort,
  scenes: readonly Scene[],
  settings: TurnTaking,
  { output, signal }: Invocation,
): Promise<Heard[]> {
  const heard: Heard[] = [];
  for (const scene of scenes) {
    if (signal.aborted) throw new ParlanceError('cancelled', 'Stopped.', 'Run it again.');
    heard.push(await hear(turnTaking, scene, settings));
    if (heard.length % 10 === 0) output.note(`${heard.length}/${scenes.length} scenes`);
  }
  return heard;
}

/** Whispers at full sensitivity over a quiet room's pink noise, where this machine has a voice that whispers. */
async function hearWhispers(turnTaking: TurnTakingPort, settings: TurnTaking, invocation: Invocation) {
  const { clips } = await whisperedClips();
  if (clips.length === 0) return [];
  const scene = makeScene(
    clips,
    { noise: 'pink', levelDb: 20 },
    { pauseMs: settings.pauseMs, seed: 1, voices: [], speechDb: -45 },
  );
  const heard = await hearAll(turnTaking, [scene], { ...settings, sensitivity: 1 }, invocation);
  const baseline = bestThreshold([scene], settings.pauseMs);
  return scoreRows([], heard, baseline.results, 'whisper');
}

/** Samples given at once: well under what may wait for the model. */
const pieceSamples = 5 * 16000;

async function hear(turnTaking: TurnTakingPort, scene: Scene, settings: TurnTaking): Promise<Heard> {
  const found: FoundTurn[] = [];
  const nothing: NothingHeard[] = [];
  let failure: ParlanceError | null = null;
  const listener = turnTaking.listen({
    settings,
    onEvent(event) {
      if (event.type === 'nothing-heard') nothing.push(event.why);
      if (event.type !== 'turn-ended') return;
      const { speechFromMs, speechToMs, noticedAfterMs } = event;
      found.push({ fromMs: speechFromMs, toMs: speechToMs, noticedMs: speechToMs + noticedAfterMs });
    },
    onFailure(told) {
      failure = ParlanceError.from(told);
    },
  });
  for (let start = 0; start < scene.samples.length && failure === null; start += pieceSamples) {
    listener.push(scene.samples.subarray(start, start + pieceSamples));
    await listener.settled();
  }
  await listener.finish();
  if (failure !== null) throw failure;
  return { scene, found, nothing };
}
