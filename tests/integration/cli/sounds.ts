import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSound } from '../../../src-main/voice/read-sound.ts';
import { type WavKind, writeWav } from '../../fixtures/voice/wav-writer.ts';
import { sample } from './parlance.ts';

/** One of the samples, 16 kHz. */
export async function spoken(name: string): Promise<Float32Array> {
  const { samples } = await readSound(readFileSync(sample(name)), name);
  return samples;
}

export const question = () => spoken('question-capital-of-france.wav');

/** Sounds after one another, with silence between them. */
export function joined(parts: readonly Float32Array[], pauseSeconds: number): Float32Array {
  const pause = Math.round(pauseSeconds * 16000);
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length + pause, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length + pause;
  }
  return all;
}

/** The same sound at another rate, good enough to be understood: straight lines between the samples. */
export function atRate(samples: Float32Array, sampleRate: number): Float32Array {
  const step = 16000 / sampleRate;
  return Float32Array.from({ length: Math.floor(samples.length / step) }, (_, place) => {
    const left = Math.floor(place * step);
    const part = place * step - left;
    return (samples[left] ?? 0) * (1 - part) + (samples[left + 1] ?? 0) * part;
  });
}

/** Writes a sound into a folder and gives its path. */
export function soundFile(
  folder: string,
  name: string,
  channels: readonly Float32Array[],
  kind?: WavKind,
): string {
  const path = join(folder, name);
  writeFileSync(path, writeWav(channels, kind));
  return path;
}

/** Speech of many minutes: one sound again and again, 16 kHz, 16 bits. */
export function longFile(folder: string, samples: Float32Array, minutes: number): string {
  const once = Buffer.from(writeWav([samples]));
  const times = Math.ceil((minutes * 60 * 16000) / samples.length);
  const sound = Buffer.concat(Array.from({ length: times }, () => once.subarray(44)));
  const header = Buffer.from(once.subarray(0, 44));
  header.writeUInt32LE(36 + sound.length, 4);
  header.writeUInt32LE(sound.length, 40);
  const path = join(folder, 'long.wav');
  writeFileSync(path, Buffer.concat([header, sound]));
  return path;
}
