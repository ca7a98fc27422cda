import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { ParlanceError } from '../../contract/index.ts';
import { type SpeakRequest, speechSampleRate } from '../../contract/speech.ts';
import { defaultVoicePack, listVoicePacks, requireInstalled, voicesFolder } from '../../models/voices.ts';
import { writeWav } from '../../voice/wav-file.ts';
import { createEngineOn, createMachine, type Machine } from '../machine.ts';
import { type Invocation, runs } from './invocation.ts';

const optionsSchema = z.object({
  output: z.string().min(1),
  voice: z.string().optional(),
  speed: z.coerce.number().min(0.5).max(2),
  language: z.string().regex(/^(auto|[a-z]{2})$/, 'is auto or a language code such as en'),
});
type Options = z.infer<typeof optionsSchema>;

/** `parlance say`: text, which may be Markdown, as a WAV file. */
export function addSay(program: Command): void {
  const command = program
    .command('say')
    .description('Speaks a text into a WAV file.')
    .argument('<TEXT>', 'what is said')
    .requiredOption('-o, --output <OUT.wav>', 'the file that is written, 24 kHz')
    .option('--voice <V>', 'a voice of `parlance models list --json`')
    .option('--speed <X>', "0.5 to 2 times the voice's own pace", '1')
    .option('--language <CODE>', "auto (the voice's own), or en", 'auto');
  runs(command, optionsSchema, say);
}

/** What is asked of the engine; rejects with voices-missing, saying what to run. */
export async function speechRequest(
  { place }: Machine,
  { voice, speed, language }: Pick<Options, 'voice' | 'speed' | 'language'>,
  text: string,
): Promise<SpeakRequest> {
  await requireInstalled(place, defaultVoicePack);
  const pack = (await listVoicePacks(place)).find(({ id }) => id === defaultVoicePack);
  return {
    voices: voicesFolder(place, defaultVoicePack),
    voice: voice ?? pack?.defaultVoice ?? '',
    speed,
    language,
    text,
  };
}

async function say(
  { home, log, output, signal }: Invocation,
  options: Options,
  [text = '']: string[],
): Promise<void> {
  if (text.trim() === '') throw new ParlanceError('text-empty', 'There is nothing to say.', 'Give a text.');
  const machine = createMachine(home, log);
  const request = await speechRequest(machine, options, text);
  const engine = createEngineOn(machine);
  try {
    const pieces: Float32Array[] = [];
    const sound = ({ samples, start, end }: { samples: Float32Array; start: number; end: number }): void => {
      pieces.push(samples);
      output.event({ type: 'piece', start, end, seconds: samples.length / speechSampleRate });
    };
    const spoken = await engine.speak(request, { sound }, signal);
    if (spoken.pieces === 0)
      throw new ParlanceError('text-empty', 'Nothing in it can be said.', 'Give a text with words.');
    await write(options.output, pieces);
    output.event({ type: 'done', file: options.output, voice: request.voice, ...spoken });
    output.text(`${options.output}: ${spoken.seconds.toFixed(1)} s\n`);
  } finally {
    await engine.shutdown();
  }
}

async function write(path: string, pieces: readonly Float32Array[]): Promise<void> {
  try {
    await writeWav(resolve(path), pieces, speechSampleRate);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw cause;
    const message = `${path} cannot be written: ${(cause as Error).message}.`;
    throw new ParlanceError('file-unreadable', message, 'Name another place with -o.', { cause });
  }
}
