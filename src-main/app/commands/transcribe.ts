import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import {
  devicePreferenceSchema,
  type EnginePort,
  ParlanceError,
  type Transcript,
  transcribeRequestSchema,
} from '../../contract/index.ts';
import { clipWav } from '../../store/clip-wav.ts';
import { chooseBundle, defaultBundleId } from '../bundle-choice.ts';
import { createEngineOn, createMachine } from '../machine.ts';
import { type Invocation, runs } from './invocation.ts';
import { readSoundFile } from './sound-file.ts';
import { type TranscriptFormat, transcriptFormats } from './transcript-formats.ts';

const optionsSchema = z.object({
  language: z.string().regex(/^(auto|[a-z]{2,3})$/, 'is auto or a language code such as en'),
  task: z.enum(['transcribe', 'translate']),
  engine: z.enum(['whisper', 'speech-llm']),
  format: z.enum(['txt', 'md', 'srt', 'vtt', 'json', 'docx']),
  output: z.string().optional(),
  bundle: z.string(),
  device: devicePreferenceSchema,
});
type Options = z.infer<typeof optionsSchema>;

/** `parlance transcribe`: what is said in sound files, in words with times. */
export function addTranscribe(program: Command): void {
  const command = program
    .command('transcribe')
    .description('Writes down what is said in sound files.')
    .argument('<FILE...>', 'WAV files of any common kind and length')
    .option('--language <CODE>', 'the language spoken, or auto', 'auto')
    .option('--task <TASK>', 'transcribe, or translate (into English)', 'transcribe')
    .option('--engine <NAME>', 'whisper or speech-llm', 'whisper')
    .option('--format <KIND>', 'txt, md, srt, vtt or json', 'txt')
    .option('-o, --output <PATH>', 'a file; a folder when there are several files')
    .option('--bundle <ID|DIR>', 'the bundle that listens', defaultBundleId)
    .option('--device <NAME>', 'auto, cuda, dml, coreml, webgpu or cpu', 'auto');
  runs(command, optionsSchema, transcribe);
}

async function transcribe(invocation: Invocation, options: Options, files: string[]): Promise<void> {
  const { home, log, output } = invocation;
  const format = supportedFormat(options.format);
  const place = await outputPlace(options.output, files.length);
  const { folder } = chooseBundle(home.models, options.bundle);
  const engine = createEngineOn(createMachine(home, log));
  try {
    for (const file of files) {
      const transcript = await transcribeFile(invocation, engine, file, folder, options);
      output.event({ type: 'done', file, ...transcript });
      const document = transcriptFormats[format]({ file: basename(file), transcript });
      if (place === null) output.text(document);
      else await writeDocument(place(file, format), document);
      output.note(summary(transcript));
    }
  } finally {
    await engine.shutdown();
  }
}

function supportedFormat(format: Options['format']): TranscriptFormat {
  if (format !== 'docx') return format;
  throw new ParlanceError(
    'not-supported',
    'Transcripts cannot be written as DOCX yet.',
    'Use --format md, which word processors open.',
  );
}

/** Gives the path of each file's document; null for standard output. */
async function outputPlace(
  output: string | undefined,
  files: number,
): Promise<((file: string, format: string) => string) | null> {
  if (output === undefined) return null;
  const isFolder = (await stat(output).catch(() => null))?.isDirectory() ?? false;
  if (isFolder) return (file, format) => join(output, `${basename(file, extname(file))}.${format}`);
  if (files === 1) return () => output;
  throw new ParlanceError(
    'invalid-request',
    `${output} is not a folder, and there are ${files} files.`,
    'Name a folder with -o.',
  );
}

async function writeDocument(path: string, document: string): Promise<void> {
  try {
    await writeFile(path, document);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw cause;
    const message = `${path} cannot be written: ${(cause as Error).message}.`;
    throw new ParlanceError('file-unreadable', message, 'Name another place with -o.', { cause });
  }
}

/** The engine reads stored clips only, so a file becomes one for as long as it is listened to. */
async function transcribeFile(
  { home, output, signal }: Invocation,
  engine: EnginePort,
  file: string,
  bundle: string,
  { device, engine: name, language, task }: Options,
): Promise<Transcript> {
  const { samples } = await readSoundFile(file);
  const folder = await mkdtemp(join(home.cache, 'listening-'));
  try {
    const path = join(folder, 'sound.wav');
    await writeFile(path, clipWav(samples), { mode: 0o600 });
    const request = transcribeRequestSchema.parse({ bundle, device, path, engine: name, language, task });
    const segment = (found: { start: number; end: number; text: string }) =>
      output.event({ type: 'segment', file, ...found });
    return await engine.transcribe(request, { segment }, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function summary({ language, seconds, provider, timings }: Transcript): string {
  const speed = timings.realTimeFactor > 0 ? `, ${(1 / timings.realTimeFactor).toFixed(1)} × real time` : '';
  return `${language} · ${seconds.toFixed(1)} s of sound · ${provider}${speed}`;
}
