import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ParlanceError } from '../../contract/index.ts';
import type { SpokenClip } from '../../evaluation/turns/scenes.ts';
import { readSound } from '../../voice/read-sound.ts';
import { resourcesFolder } from '../entries.ts';
import { readSoundFile } from './sound-file.ts';

const samplesSchema = z.array(z.looseObject({ audio: z.string(), voice: z.string() }));

/** Clips as they were recorded and spoken, and whose voices they are. */
export interface SpokenClips {
  readonly clips: readonly SpokenClip[];
  readonly voices: readonly string[];
}

/** Sentences that eSpeak NG speaks in the languages that the samples lack. */
const sentences: ReadonlyArray<readonly [voice: string, text: string]> = [
  ['de+f2', 'Wie wird das Wetter morgen in den Bergen?'],
  ['fr+m3', "Raconte-moi l'histoire de cette ville."],
  ['es+f4', '¿Cuántos kilómetros hay hasta la costa?'],
  ['cmn', '请告诉我明天的天气怎么样。'],
  ['ja', 'あしたのてんきをおしえてください。'],
  ['ar', 'ما هي عاصمة هذا البلد؟'],
];

/** Whispered: breath without a voice. */
const whispered: ReadonlyArray<readonly [voice: string, text: string]> = [
  ['en+whisper', 'Please read me the last message once more.'],
  ['de+whisperf', 'Bitte lies mir die letzte Nachricht noch einmal vor.'],
];

async function samplesIn(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, 'samples.json'), 'utf8');
  } catch (cause) {
    const message = `The spoken samples are not in ${folder}.`;
    throw new ParlanceError('file-missing', message, 'Run it in a checkout; the packaged app has none.', {
      cause,
    });
  }
}

/** The samples of `resources`. Rejects with file-missing where the app was packaged without them. */
async function sampleClips(): Promise<SpokenClips> {
  const folder = join(resourcesFolder(), 'samples');
  const samples = samplesSchema.parse(JSON.parse(await samplesIn(folder)));
  const clips: SpokenClip[] = [];
  for (const { audio } of samples)
    clips.push({ name: audio, samples: (await readSoundFile(join(folder, audio))).samples });
  return { clips, voices: [...new Set(samples.map(({ voice }) => voice))] };
}

/** Spoken by eSpeak NG; no clips where it is not installed. */
async function speak(texts: ReadonlyArray<readonly [voice: string, text: string]>): Promise<SpokenClips> {
  const run = promisify(execFile);
  const clips: SpokenClip[] = [];
  for (const [voice, text] of texts) {
    try {
      const parameters = ['-v', voice, '-s', '150', '--stdout', text];
      const { stdout } = await run('espeak-ng', parameters, { encoding: 'buffer', maxBuffer: 2 ** 24 });
      clips.push({ name: `espeak-ng ${voice}`, samples: (await readSound(stdout, voice)).samples });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { clips: [], voices: [] };
      throw error;
    }
  }
  return { clips, voices: clips.map(({ name }) => name) };
}

/** The samples, and after them what a speech synthesis on this machine adds, in turns, so that the first few are of both. */
export async function spokenClips(): Promise<SpokenClips> {
  const [samples, added] = [await sampleClips(), await speak(sentences)];
  const clips = samples.clips.flatMap((clip, place) => {
    const other = added.clips[place];
    return other === undefined ? [clip] : [clip, other];
  });
  return { clips, voices: [...samples.voices, ...added.voices] };
}

export function whisperedClips(): Promise<SpokenClips> {
  return speak(whispered);
}
