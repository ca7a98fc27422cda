import type { Command } from 'commander';
import { z } from 'zod';
import { speechSampleRate } from '../../contract/speech.ts';
import { createEngineOn, createMachine } from '../machine.ts';
import { type Invocation, runs } from './invocation.ts';
import { speechRequest } from './say.ts';

const optionsSchema = z.object({
  voice: z.string().optional(),
  runs: z.coerce.number().int().min(1).max(100),
});

/** Replies as an assistant gives them: one short first sentence, one that begins long. */
const replies = [
  'Paris is the capital of France. It lies on the Seine, and about two million people live there.',
  'The museum opens at 9:30 am and closes at 6 pm, so there is enough time to see both exhibitions before lunch.',
] as const;

/** `parlance bench say`: how long a sentence waits for its first sound, and how much time a second of sound takes. */
export function addBenchSay(bench: Command): void {
  const say = bench
    .command('say')
    .description('Time from the text of a reply to its first sound, and the real-time factor.')
    .option('--voice <V>', 'the voice that is measured')
    .option('--runs <N>', 'how often each reply is spoken', '5');
  runs(say, optionsSchema, benchSay);
}

async function benchSay(
  { home, log, output, signal }: Invocation,
  options: z.infer<typeof optionsSchema>,
): Promise<void> {
  const machine = createMachine(home, log);
  const engine = createEngineOn(machine);
  const first: number[] = [];
  const factors: number[] = [];
  try {
    const request = await speechRequest(machine, { voice: options.voice, speed: 1, language: 'auto' }, '');
    await engine.speak(request, { sound: () => undefined }, signal);
    for (let run = 0; run < options.runs; run += 1) {
      for (const text of replies) {
        const asked = performance.now();
        let heard: number | null = null;
        let samples = 0;
        const sound = (piece: { samples: Float32Array }): void => {
          heard ??= performance.now() - asked;
          samples += piece.samples.length;
        };
        await engine.speak({ ...request, text }, { sound }, signal);
        const took = performance.now() - asked;
        const result = {
          firstSoundMs: heard ?? took,
          realTimeFactor: took / 1000 / (samples / speechSampleRate),
        };
        first.push(result.firstSoundMs);
        factors.push(result.realTimeFactor);
        output.event({ type: 'run', ...result });
      }
    }
  } finally {
    await engine.shutdown();
  }
  const summary = { firstSoundMs: median(first), realTimeFactor: median(factors), runs: first.length };
  output.event({ type: 'done', ...summary });
  output.text(
    `first sound after ${summary.firstSoundMs.toFixed(0)} ms, real-time factor ${summary.realTimeFactor.toFixed(2)} (medians of ${summary.runs})\n`,
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
